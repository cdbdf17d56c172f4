import { describe, expect, test } from 'vitest'
import type { Person } from '../../../src/campaigns/check/people.ts'
import { renderForSome } from '../../../src/campaigns/check/rendered.ts'
import { takeSnapshot } from '../../../src/campaigns/snapshot.ts'
import { compileTemplate } from '../../../src/templates/compile.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../../src/tokens/development.ts'
import { parseSigningKeys } from '../../../src/tokens/keys.ts'

const signing_keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
const s = { signing_keys, link_hosts: () => false, mail_domain: '', now: () => new Date('2026-11-24T10:00:00Z') }
const FOOTER = '<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a></p>'

async function rendered(source: string, people: readonly Person[], subject = 'News') {
  const compiled = await compileTemplate({ format: 'html', source: source + FOOTER, text_source: null })
  const sender = {
    from_name: 'A',
    from_email: 'a@acme.example',
    reply_to: null,
    postal_address: 'Main Street 1',
    account: null,
  }
  const mailing = { sender, campaign: { id: 1, name: 'c' }, list: { id: 1, name: 'l' }, utm: null }
  const urls = { tracking_url: 'https://t.example', public_url: 'https://t.example' }
  const content = { template_id: 1, template_version: 1, subject, preheader: '' }
  const modes = { track_opens: 'individual', track_clicks: 'individual' } as const
  const snapshot = await takeSnapshot({ ...content, ...modes, ...mailing, ...urls }, compiled, signing_keys)
  return renderForSome(s, snapshot, people)
}

/** The first `without` of them have no page. */
const people = (size: number, without = 0): Person[] =>
  Array.from({ length: size }, (_, n) => ({
    subscriber_id: n + 1,
    email: `p${n + 1}@example.com`,
    first_name: n < without ? null : 'Ada',
    last_name: null,
    attributes: n < without ? {} : { page: 'https://acme.example/x' },
    timezone: null,
    locale: null,
  }))
const LINK = '<a href="{{attributes.page}}">your page</a>'

describe('a link that leads some nowhere', () => {
  test('is warned of while so few fail that the campaign goes on', async () => {
    const { errors, warnings } = await rendered(LINK, people(100, 1))
    expect(errors).toEqual([])
    expect(warnings).toEqual([
      {
        code: 'cannot_render',
        field: 'template_id',
        detail: expect.stringContaining('for subscriber 1: html: link 1 leads'),
      },
    ])
  })

  test.each([
    ['2 of 100', 100, 2, '2 of those it was tried for, such as subscriber 1:'],
    ['1 of 50', 50, 1, 'subscriber 1:'],
    ['all', 3, 3, '3 of those it was tried for, such as subscriber 1:'],
  ])('is an error where it pauses itself: %s', async (_, size, without, whom) => {
    const { errors, warnings } = await rendered(LINK, people(size, without))
    expect([errors.length, errors[0]?.detail, warnings]).toEqual([1, expect.stringContaining(whom), []])
  })
})

test('the largest mail is measured, as it is sent', async () => {
  const { errors, mail, size, subjects } = await rendered(
    '<p>Hi {{first_name}}</p>',
    people(3, 2),
    'To {{first_name}}x',
  )
  expect([errors, subjects.toSorted()]).toEqual([[], ['To Adax', 'To x']])
  expect(mail?.html).toContain('Hi Ada')
  expect(mail?.html).toContain('https://t.example/t/o/')
  expect(size?.html_bytes).toBe(new TextEncoder().encode(mail?.html).length)
})

test('what is missing from every mail is said once', async () => {
  const { errors } = await rendered('<div style="display:none">', people(20))
  expect(errors.map(({ code, detail }) => [code, detail.slice(0, 13)])).toEqual([
    ['not_compliant', 'its HTML part'],
    ['not_compliant', 'its text part'],
    ['not_compliant', 'its HTML part'],
    ['not_compliant', 'its text part'],
  ])
})
