import type { Words } from './words.ts'

export const en: Words = {
  language: 'en',
  frame: { home: 'Our website', privacy: 'Privacy' },
  signup: {
    form_title: 'Subscribe',
    form_title_list: 'Subscribe to {list}',
    email: 'Email address',
    first_name: 'First name',
    last_name: 'Last name',
    optional: 'optional',
    lists: 'What would you like to receive?',
    submit: 'Subscribe',
    leave_empty: 'Please leave this field empty',
  },
}
