import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { HEADER, subscriberRows, subscribersCsv } from '../../../scripts/make-subscribers.ts'
import { mapColumns } from '../../../src/imports/mapping.ts'
import { toRow } from '../../../src/imports/row.ts'
import { newSubscriber } from '../../../src/subscribers/schema.ts'
import { readFile } from './csv-file.ts'

const text = readFileSync(new URL('../../../examples/subscribers.csv', import.meta.url), 'utf8')

test('the example is what the generator makes, and the same every time', () => {
  expect([...subscribersCsv(1_000)].join('')).toBe(text)
})

test('every row passes, at reserved domains, with unique addresses and every kind of name', async () => {
  const { state, records } = await readFile(new TextEncoder().encode(text))
  expect(state.header).toEqual([...HEADER])
  const columns = mapColumns(state, {}, new Map(), 'subscribers')
  const rows = records.map(({ cells }) => {
    const options = { list_ids: [1], tags: [], consent_source: null, file_name: 'subscribers.csv' }
    const read = toRow(columns, cells, options)
    return newSubscriber.parse('row' in read ? read.row : read)
  })
  expect(rows).toHaveLength(1_000)
  for (const { email, consented_at, consent_source } of rows) {
    expect(email).toMatch(/@(.+\.)?(example\.(com|org|net)|[^.@]+\.(example|test)|example|test)$/)
    expect(consented_at && consent_source).toBeTruthy()
  }
  expect(new Set(rows.map(({ email }) => email.toLowerCase())).size).toBe(1_000)
  expect(rows.filter(({ status }) => status === 'unsubscribed')).toHaveLength(20)
  const names = rows.map(({ first_name, last_name }) => `${first_name ?? ''} ${last_name ?? ''}`)
  for (const kind of [
    /é|ë/,
    /'/,
    /\p{Emoji_Presentation}/u,
    /\p{Script=Han}/u,
    /\p{Script=Arabic}/u,
    /^.{150,}$/,
    /^ $/,
  ]) {
    expect(
      names.some((name) => kind.test(name)),
      String(kind),
    ).toBe(true)
  }
  expect(records.some(({ cells: [email] }) => /@.*[^ -~]/.test(email ?? ''))).toBe(true)
  expect(rows.some(({ attributes }) => Array.isArray(attributes?.interests))).toBe(true)
})

test('a hundred thousand of them are still unique', () => {
  const emails = new Set<string>()
  for (const [email] of subscriberRows(100_000)) emails.add(String(email).toLowerCase())
  expect(emails.size).toBe(100_000)
})
