import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { AttributeType } from '../../../src/attributes/type.ts'
import { csvRecord } from '../../../src/http/csv.ts'
import { formatOf } from '../../../src/imports/formats.ts'
import { describeColumns, mapColumns } from '../../../src/imports/mapping.ts'
import { toRow } from '../../../src/imports/row.ts'
import type { ImportKind } from '../../../src/imports/status.ts'
import { toSuppression } from '../../../src/imports/suppression-row.ts'
import { newSubscriber } from '../../../src/subscribers/schema.ts'
import { encode, readFile } from './csv-file.ts'

const bytesOf = (name: string) => readFileSync(new URL(`../../support/exports/${name}`, import.meta.url))

/** What an import makes of one of the exports. */
async function importOf(
  name: string,
  options: { file_name?: string; mapping?: Record<string, string>; types?: [string, AttributeType][] } = {},
) {
  const { state, records } = await readFile(bytesOf(name))
  const { file_name = name, mapping = {}, types = [] } = options
  const columns = mapColumns(state, mapping, new Map(types), 'subscribers', file_name)
  const rows = records.map(({ cells, problem }) => {
    if (problem !== null) return problem
    const result = toRow(columns, cells, { list_ids: [1], tags: [], consent_source: null, file_name })
    if ('problem' in result) return result.problem
    const { add_tags: _, ...row } = result.row
    expect(newSubscriber.safeParse(row).error).toBeUndefined()
    return result.row
  })
  return { state, columns, rows }
}

const statuses = (rows: (string | { email: string; status?: unknown })[]) =>
  rows.map((row) => (typeof row === 'string' ? row : `${row.email} ${row.status ?? 'active'}`))

describe('Mailchimp', () => {
  test('subscribed contacts come with consent, tags, place and rating', async () => {
    const { state, columns, rows } = await importOf('subscribed_email_audience_export_1a2b3c4d.csv')
    expect(state).toMatchObject({ format: 'mailchimp', delimiter: ',' })
    expect(rows).toEqual([
      {
        email: 'ada@example.com',
        first_name: 'Ada',
        last_name: 'Lovelace',
        timezone: 'Europe/London',
        consented_at: '2021-03-02T10:17:02.000Z',
        consent_source: 'import of subscribed_email_audience_export_1a2b3c4d.csv',
        add_tags: ['vip', 'tasting, may'],
        list_ids: [1],
        attributes: {
          address: "12 St James's Square\nLondon SW1Y 4JH",
          phone_number: '+442071234567',
          birthday: '12/10',
          favourite_roast: 'Dark',
          member_rating: 4,
          country: 'GB',
          region: 'ENG',
          notes: 'Asked for the "espresso" mails\non 2022-01-02',
        },
      },
      expect.objectContaining({ email: 'grace@example.org', consented_at: '2016-04-18T13:51:14.000Z' }),
      expect.objectContaining({
        email: 'zoe@xn--caf-dma.example',
        consented_at: '2023-06-01T00:00:00.000Z',
        attributes: { favourite_roast: '=SUM(A1:A9)', member_rating: 5 },
      }),
    ])
    expect(describeColumns(columns)).toContainEqual({ column: 'OPTIN_TIME', field: 'consented_at' })
    expect(describeColumns(columns)).toContainEqual({ column: 'LEID', field: null })
  })

  test('whoever left stays unsubscribed, also where the time is not known', async () => {
    const name = 'unsubscribed_email_audience_export_1a2b3c4d.csv'
    const { rows } = await importOf(name)
    const left = ['left@example.com unsubscribed', 'left-long-ago@example.com unsubscribed']
    expect(statuses(rows)).toEqual(left)
    expect(statuses((await importOf(name, { file_name: 'people.csv' })).rows)).toEqual(left)
    expect(rows[0]).toMatchObject({
      attributes: { unsubscribe_reason: 'NORMAL', unsubscribe_comment: 'Too many, too long' },
    })
  })

  test('cleaned addresses are never mailed: by the columns, and by the name where a spreadsheet lost some', async () => {
    const name = 'cleaned_email_audience_export_1a2b3c4d.csv'
    const dead = ['dead@example.com bounced', 'dead-too@example.com bounced']
    expect(statuses((await importOf(name)).rows)).toEqual(dead)
    expect(statuses((await importOf(name, { file_name: 'people.csv' })).rows)).toEqual(dead)
    expect(statuses((await importOf(name, { mapping: { CLEAN_TIME: '-' } })).rows)).toEqual(dead)
    const { rows } = await importOf('subscribed_email_audience_export_1a2b3c4d.csv', { file_name: 'cleaned_x.csv' })
    expect(rows).toHaveLength(3)
    for (const row of rows) expect(row).toMatchObject({ status: 'bounced' })
  })

  test('also when columns were taken away, or are called in another language', async () => {
    const states = ['email,CLEAN_TIME\n', 'email,UNSUB_TIME\n', 'E-Mail-Adresse,LEID,EUID,CLEAN_TIME\n', 'email\n']
    const names = ['x.csv', 'x.csv', 'x.csv', 'rejected-cleaned_members_export_1.csv']
    const found = await Promise.all(
      states.map(async (header, i) => {
        const { state } = await readFile(encode(header, 'utf-8'))
        const columns = mapColumns(state, {}, new Map(), 'subscribers', names[i] ?? null)
        const cells = ['a@example.com', '2024-01-01 00:00:00', 'x', '2024-01-01 00:00:00'].slice(0, state.header.length)
        return toRow(columns, cells, { list_ids: [], tags: [], consent_source: null, file_name: null })
      }),
    )
    expect(found).toMatchObject(
      ['bounced', 'unsubscribed', 'bounced', 'bounced'].map((status) => ({ row: { email: 'a@example.com', status } })),
    )
  })

  test('contacts that never subscribed are not imported', async () => {
    const file_name = 'nonsubscribed_email_audience_export_1a2b3c4d.csv'
    await expect(importOf('subscribed_email_audience_export_1a2b3c4d.csv', { file_name })).rejects.toThrow(
      'never subscribed',
    )
  })

  test('a merge field that is called UNSUB_TIME can be left out', async () => {
    const { rows } = await importOf('unsubscribed_email_audience_export_1a2b3c4d.csv', {
      file_name: 'subscribed_members.csv',
      mapping: { UNSUB_TIME: '-' },
    })
    expect(statuses(rows)).toEqual(['left@example.com active', 'left-long-ago@example.com active'])
  })
})

test('listmonk: attributes are spread, disabled and blocklisted people are unsubscribed', async () => {
  const { state, rows } = await importOf('listmonk-subscribers.csv', { types: [['seats', 'number']] })
  expect(state.format).toBe('listmonk')
  expect(rows).toEqual([
    {
      email: 'anon@example.com',
      first_name: 'Anon',
      last_name: 'Doe',
      status: 'active',
      list_ids: [1],
      attributes: { city: 'Bengaluru', good: true, type: 'known', seats: 3 },
    },
    { email: 'off@example.com', status: 'unsubscribed', list_ids: [1], attributes: {} },
    {
      email: 'blocked@example.com',
      first_name: 'Ludwig',
      last_name: 'van Beethoven',
      status: 'unsubscribed',
      list_ids: [1],
      attributes: { tags: ['a', 'b'], home_address: { zip: '01067' } },
    },
  ])
  const dated = await importOf('listmonk-subscribers.csv', { mapping: { created_at: 'consented_at' } })
  expect(dated.rows[0]).toMatchObject({ consented_at: '2020-12-28T04:28:44.100Z' })
})

test('Brevo: semicolons, a mark, CRLF; blocklisted people are unsubscribed, contacts without address refused', async () => {
  const { state, rows } = await importOf('brevo-contacts.csv')
  expect(state).toMatchObject({ format: 'brevo', delimiter: ';', encoding: 'utf-8' })
  expect(statuses(rows)).toEqual(['bruno@example.com active', 'partie@example.com unsubscribed', 'email is empty'])
  expect(rows[0]).toMatchObject({
    first_name: 'Bruno',
    last_name: 'Durand',
    timezone: 'Europe/Paris',
    attributes: { sms: '33611111111', opt_in: true, double_opt_in: 'Yes', job_title: 'Chef; cuisine' },
  })
})

test('Brevo with the subscription status, in Windows-1252', async () => {
  const { state, rows } = await importOf('brevo-status.csv')
  expect(state).toMatchObject({ format: 'brevo', encoding: 'windows-1252' })
  expect(statuses(rows)).toEqual(['bruno@example.com active', 'partie@example.com unsubscribed'])
  expect(rows[1]).toMatchObject({ first_name: 'Anaïs', last_name: 'Lefèvre' })
})

describe('SendGrid', () => {
  test('contacts', async () => {
    const { state, rows } = await importOf('sendgrid-contacts.csv')
    expect(state.format).toBe('sendgrid')
    expect(rows).toMatchObject([
      { email: 'joan@example.com', attributes: { address_line_1: '1 Bletchley Park, Hut 8', region: 'Bucks' } },
      { email: 'alan@example.com', attributes: { postal_code: '00123', country: 'GB' } },
    ])
  })

  test.each([
    ['suppression_bounces.csv', ['bounced@example.com bounced', 'full@example.com bounced']],
    ['suppression_spam_reports.csv', ['angry@example.com complained']],
    ['suppression_unsubscribes.csv', ['left@example.com unsubscribed']],
  ])('%s', async (name, expected) => {
    expect(statuses((await importOf(name)).rows)).toEqual(expected)
  })

  test('a file whose name and columns do not tell is not guessed at', async () => {
    const name = 'suppression_unsubscribes.csv'
    const file_name = 'export.csv'
    await expect(importOf(name, { file_name })).rejects.toThrow('Say what the people are')
    const said = await importOf(name, { file_name, mapping: { created: 'complained' } })
    expect(statuses(said.rows)).toEqual(['left@example.com complained'])
    const plain = await importOf(name, { file_name, mapping: { created: '-' } })
    expect(statuses(plain.rows)).toEqual(['left@example.com active'])
  })

  test('blocks are for a time', async () => {
    await expect(importOf('suppression_bounces.csv', { file_name: 'suppression_blocks.csv' })).rejects.toThrow('blocks')
  })
})

test.each([
  ['suppression_bounces.csv', 'bounce'],
  ['suppression_spam_reports.csv', 'complaint'],
  ['suppression_unsubscribes.csv', 'unsubscribe'],
  ['cleaned_email_audience_export_1a2b3c4d.csv', 'bounce'],
  ['unsubscribed_email_audience_export_1a2b3c4d.csv', 'unsubscribe'],
  ['brevo-status.csv', 'manual'],
])('%s as suppressions: %s', async (name, reason) => {
  const { state, records } = await readFile(bytesOf(name))
  const kind: ImportKind = 'suppressions'
  const columns = mapColumns(state, {}, new Map(), kind, name)
  for (const { cells } of records) {
    expect(toSuppression(columns, cells, { file_name: name })).toMatchObject({ row: { kind: 'address', reason } })
  }
})

describe('our own files', () => {
  const HEADER =
    'id,email,first_name,last_name,status,timezone,locale,tags,paused_until,created_at,updated_at,consented_at,consent_source,list_status,lists,attributes.seats,attributes'
  const lists = JSON.stringify([
    { list_id: 3, name: 'News', status: 'subscribed' },
    { list_id: 4, name: 'Old', status: 'unsubscribed' },
  ])
  const record = (email: string, name: string, list_status: string) =>
    csvRecord(
      [
        7,
        email,
        name,
        null,
        'active',
        null,
        'de',
        'a; b',
        null,
        TIME,
        TIME,
        TIME,
        'form',
        list_status,
        lists,
        3,
        '{"note":"=1"}',
      ],
      true,
    )
  const TIME = '2026-01-02T03:04:05.678Z'

  async function read(text: string, mapping: Record<string, string> = {}) {
    const { state, records } = await readFile(encode(text, 'utf-8'))
    const columns = mapColumns(state, mapping, new Map([['seats', 'number']]), 'subscribers', 'export.csv')
    const options = { list_ids: [9], tags: [], consent_source: null, file_name: 'export.csv' }
    return { state, rows: records.map(({ cells }) => toRow(columns, cells, options)) }
  }

  test('an export comes back as it was, guards against formulas taken away', async () => {
    const { state, rows } = await read(
      `${HEADER}\r\n${record('-a@example.com', "'=x", 'subscribed')}${record("'-b@example.com", 'B', 'unsubscribed')}`,
    )
    expect(state.format).toBe('kit')
    const same = {
      status: 'active',
      locale: 'de',
      consented_at: TIME,
      consent_source: 'form',
      add_tags: ['a', 'b'],
      attributes: { seats: 3, note: '=1' },
    }
    expect(rows).toEqual([
      { row: { email: '-a@example.com', first_name: "'=x", list_ids: [9], ...same } },
      // Who left the list that was exported is not put on another by that.
      { row: { email: "'-b@example.com", first_name: 'B', ...same } },
    ])
  })

  test('lists are those of this installation only when asked for', async () => {
    const { rows } = await read(`${HEADER}\r\n${record('a@example.com', 'A', 'subscribed')}`, { lists: 'list_ids' })
    expect(rows).toMatchObject([{ row: { list_ids: [9, 3] } }])
  })

  test('a suppressions export comes back', async () => {
    const created_at = '2026-01-02T03:04:05.678Z'
    const text = `kind,value,reason,source,created_at\r\n${csvRecord(['address', '+a@example.com', 'bounce', '=x', created_at], true)}`
    const { state, records } = await readFile(encode(text, 'utf-8'))
    const columns = mapColumns(state, {}, new Map(), 'suppressions')
    expect(records.map(({ cells }) => toSuppression(columns, cells, { file_name: 'x.csv' }))).toEqual([
      { row: { kind: 'address', value: '+a@example.com', reason: 'bounce', source: '=x', created_at } },
    ])
  })

  test('refused rows, corrected, are read as the file they come from', async () => {
    const cleaned = new TextDecoder().decode(bytesOf('cleaned_email_audience_export_1a2b3c4d.csv')).split('\n')
    const text = `line,reason,${cleaned[0]}\n3,"email is empty",${cleaned[1]}\n`
    const { state, records } = await readFile(encode(text, 'utf-8'))
    expect(state.format).toBe('mailchimp')
    const columns = mapColumns(state, {}, new Map(), 'subscribers', 'refusals-7.csv')
    const row = toRow(columns, records[0]?.cells ?? [], {
      list_ids: [],
      tags: [],
      consent_source: null,
      file_name: null,
    })
    expect(row).toMatchObject({ row: { email: 'dead@example.com', status: 'bounced' } })
    expect(row).not.toHaveProperty('row.attributes.line')
  })
})

test('other files are nobody’s', () => {
  for (const header of [
    ['email', 'created', 'name'],
    ['email', 'name', 'status', 'attributes'],
    ['Email Address', 'First Name'],
    ['email', 'first_name', 'last_name', 'city'],
  ]) {
    expect(formatOf(header)).toBe('generic')
  }
})
