import type { Words } from './words.ts'

export const de: Words = {
  language: 'de',
  frame: { home: 'Unsere Website', privacy: 'Datenschutz' },
  signup: {
    form_title: 'Anmelden',
    form_title_list: '{list} abonnieren',
    email: 'E-Mail-Adresse',
    first_name: 'Vorname',
    last_name: 'Nachname',
    optional: 'freiwillig',
    lists: 'Was möchten Sie erhalten?',
    submit: 'Anmelden',
    leave_empty: 'Bitte dieses Feld leer lassen',
  },
}
