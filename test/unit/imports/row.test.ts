import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AttributeType } from '../../../src/attributes/type.ts'
import { isoTime, listOf, typedValue, untypedValue } from '../../../src/imports/cell.ts'
import { mapColumns } from '../../../src/imports/mapping.ts'
import { type RowOptions, splitName, toRow } from '../../../src/imports/row.ts'
import { toSuppression } from '../../../src/imports/suppression-row.ts'
import { newSubscriber } from '../../../src/subscribers/schema.ts'
import { newSuppression } from '../../../src/suppressions/schema.ts'

const OPTIONS: RowOptions = { list_ids: [7], tags: [], consent_source: null, file_name: 'people.csv' }
const TYPES = new Map<string, AttributeType>([
  ['seats', 'number'],
  ['vip', 'boolean'],
  ['born', 'date'],
  ['likes', 'list'],
  ['note', 'string'],
])

const columnsOf = (header: string[], kind: 'subscribers' | 'suppressions' = 'subscribers') =>
  mapColumns({ encoding: 'utf-8', delimiter: ',', format: 'generic', header }, {}, TYPES, kind)

/** One row of a file with these columns. */
const read = (cells: Record<string, string>, options: Partial<RowOptions> = {}) =>
  toRow(
    columnsOf(['email', ...Object.keys(cells).filter((name) => name !== 'email')]),
    [
      cells.email ?? 'a@example.com',
      ...Object.entries(cells).flatMap(([name, cell]) => (name === 'email' ? [] : [cell])),
    ],
    { ...OPTIONS, ...options },
  )

test('cells become fields and attributes, empty ones nothing', () => {
  expect(
    read({ email: ' Ada@EXAMPLE.com ', first_name: '', last_name: '  ', locale: 'pt_BR', plan: 'pro', zip: '01234' }),
  ).toEqual({
    row: { email: 'Ada@example.com', locale: 'pt-BR', list_ids: [7], attributes: { plan: 'pro', zip: '01234' } },
  })
  expect(read({})).toEqual({ row: { email: 'a@example.com', list_ids: [7] } })
})

test('statuses of other systems are understood, the worst of several counts, unknown ones are refused', () => {
  for (const [cells, status] of [
    [{ status: 'Subscribed' }, 'active'],
    [{ status: 'UNSUBSCRIBED' }, 'unsubscribed'],
    [{ status: 'cleaned' }, 'bounced'],
    [{ status: 'spam' }, 'complained'],
    [{ status: 'active', unsubscribed: 'Yes' }, 'unsubscribed'],
    [{ status: 'active', unsubscribed: '0' }, 'active'],
    [{ status: 'complained', unsubscribed: '2024-01-01', bounced: '1' }, 'complained'],
    [{ bounced: 'true', unsubscribed: 'true' }, 'bounced'],
  ] as const) {
    expect(read(cells), JSON.stringify(cells)).toMatchObject({ row: { status } })
  }
  expect(read({ 'Accepts Email Marketing': 'yes' })).toMatchObject({ row: { status: 'active' } })
  expect(read({ 'Accepts Email Marketing': 'no' })).toHaveProperty('problem')
  expect(read({ 'Email Marketing Consent': 'NEVER_SUBSCRIBED' })).toHaveProperty('problem')
  expect(read({ status: 'maybe' })).toEqual({ problem: 'status "maybe" is not known' })
  expect(read({ status: 'Unconfirmed' })).toEqual({
    problem: 'status is "Unconfirmed": this person has not agreed to be mailed',
  })
})

test('consent says where it comes from: the row, else the option, else the file when it has a time', () => {
  const dated = { consented_at: '2025-01-02' }
  expect(read({ ...dated, consent_source: 'form' }, { consent_source: 'shop' })).toMatchObject({
    row: { consent_source: 'form' },
  })
  expect(read(dated, { consent_source: 'shop' })).toMatchObject({ row: { consent_source: 'shop' } })
  expect(read(dated)).toMatchObject({
    row: { consent_source: 'import of people.csv', consented_at: '2025-01-02T00:00:00.000Z' },
  })
  expect(read({})).not.toHaveProperty('row.consent_source')
})

test('tags and lists of the row are added to those of the file', () => {
  expect(read({ tags: ' VIP; Café ;vip' }, { tags: ['fair'] })).toMatchObject({
    row: { add_tags: ['fair', 'vip', 'café'] },
  })
  expect(read({ tags: '"a, b","c"' })).toMatchObject({ row: { add_tags: ['a, b', 'c'] } })
  expect(read({ tags: '["x","y"]' })).toMatchObject({ row: { add_tags: ['x', 'y'] } })
  expect(read({ list_ids: '3;7;9' })).toMatchObject({ row: { list_ids: [7, 3, 9] } })
  expect(read({ tags: 'x'.repeat(51) })).toEqual({ problem: 'tags must have at most 50 characters' })
  expect(read({ tags: '["a"' })).toEqual({ problem: 'tags must be a JSON array of texts, or a;b, not "["a""' })
  expect(read({ list_ids: 'News' })).toEqual({ problem: 'list_ids must be ids of lists, such as 3;7, not "News"' })
})

test.each([
  ['Ada Lovelace', 'Ada', 'Lovelace'],
  ['Lovelace, Ada', 'Ada', 'Lovelace'],
  ['Ludwig van Beethoven', 'Ludwig', 'van Beethoven'],
  ['Maria da Silva e Souza', 'Maria da Silva e', 'Souza'],
  ['Prince', 'Prince', undefined],
  ['王小明', '王小明', undefined],
  ['van Gogh', 'van', 'Gogh'],
])('the name %j', (name, first_name, last_name) => {
  expect(splitName(name)).toEqual([first_name, last_name])
})

test('a whole name fills what the row does not say otherwise', () => {
  expect(read({ name: 'Ada Lovelace' })).toMatchObject({ row: { first_name: 'Ada', last_name: 'Lovelace' } })
  // `Vorname, Name`: there `Name` is the last name.
  for (const name of ['Lovelace', 'Ada Lovelace', 'Lovelace, Ada']) {
    expect(read({ name, first_name: 'Ada' }), name).toMatchObject({ row: { first_name: 'Ada', last_name: 'Lovelace' } })
  }
  expect(read({ name: 'Ada', first_name: 'Ada' })).not.toHaveProperty('row.last_name')
  expect(read({ name: 'A B', last_name: 'Lovelace' })).not.toHaveProperty('row.first_name')
})

test.each([
  [{ email: '' }, 'email is empty'],
  [{ email: `${'a'.repeat(320)}@example.com` }, 'email has more than 64 characters before the @'],
  [{ email: 'Ada <a@example.com>' }, 'email contains a space'],
  [{ first_name: 'Ada\nLovelace' }, 'first_name must be one line'],
  [{ last_name: 'x'.repeat(201) }, 'last_name is longer than 200 characters'],
  [{ consented_at: 'yesterday' }, 'consented_at must be a time such as 2026-11-24'],
  [{ consented_at: '31/12/2025' }, 'consented_at must be a time'],
  [{ consented_at: '1969-12-31' }, 'consented_at must not be before 1970'],
  [{ timezone: 'Berlin' }, 'timezone must be a time zone such as Europe/Berlin, not "Berlin"'],
  [{ locale: 'e' }, 'locale must be a language tag'],
  [{ plan: 'bell\u0007' }, 'attributes.plan must not contain control characters'],
  [{ plan: '["\\u0000"]' }, 'attributes.plan.0 must not contain control characters'],
  [{ plan: '["\\ud800"]' }, 'attributes hold text that cannot be stored'],
  [{ plan: '{"__proto__": 1}' }, 'attributes.plan has a key that is too long or not allowed'],
  [{ plan: '[[[[[1]]]]]' }, 'must not be nested deeper than 4 levels'],
  [{ plan: 'x'.repeat(20_000) }, 'attributes must be at most 16384 bytes of JSON'],
  [{ attributes: '[1]' }, 'attributes must be a JSON object'],
  [{ attributes: '{"seats":"many"}' }, 'attributes.seats must be a number'],
  [{ seats: '1.234,56' }, 'attributes.seats must be a number such as 1234.5, not "1.234,56"'],
])('%j is refused', (cells: Record<string, string>, problem) => {
  const result = read(cells)
  expect('problem' in result && result.problem).toContain(problem)
})

test('a cell of 1 MB is refused before it is taken apart, which would take minutes', () => {
  const name = `a,${' '.repeat(999_000)},b`
  expect(read({ name })).toEqual({ problem: 'name is longer than 410 characters' })
  expect(read({ locale: name })).toMatchObject({ problem: expect.stringContaining('locale must be a language tag') })
})

test('what is remembered of cells holds on to nothing of the file', () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const used = () => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return (heapUsed + external) / 1e6
  }
  const columns = columnsOf(['email', 'timezone', 'locale'])
  const before = used()
  for (let piece = 0; piece < 500; piece++) {
    const line = `ada@customer-number-${piece}.example,America/Nowhere_${piece},en-variant${piece % 10}x`
    const text = new TextDecoder().decode(new TextEncoder().encode(`${line}\n${'x'.repeat(200_000)}`))
    const cells = line.split(',').map((cell) => text.slice(text.indexOf(cell), text.indexOf(cell) + cell.length))
    toRow(columns, cells, OPTIONS)
    toRow(columns, [cells[0] ?? '', '', cells[2] ?? ''], OPTIONS)
  }
  // The pieces have 100 MB.
  expect(used() - before).toBeLessThan(40)
})

test('what is no attribute key in a JSON column is made one; null says nothing', () => {
  const cell = '{"Favourite colour":"blue","seats":"3","nested":{"a":[1]},"__proto__":{"x":1},"gone":null,"":"x"}'
  expect(read({ attributes: cell, plan: 'pro' })).toEqual({
    row: {
      email: 'a@example.com',
      list_ids: [7],
      attributes: { favourite_colour: 'blue', seats: 3, nested: { a: [1] }, proto: { x: 1 }, plan: 'pro' },
    },
  })
})

test('a cell of nothing but brackets is text', () => {
  const brackets = '['.repeat(5_000) + ']'.repeat(5_000)
  expect(untypedValue(brackets)).toBe(brackets)
})

test('attributes nobody declared are typed only where nothing is lost', () => {
  for (const [cell, value] of [
    ['true', true],
    ['false', false],
    ['True', 'True'],
    ['0', 0],
    ['-12.5', -12.5],
    ['007', '007'],
    ['1.50', '1.50'],
    ['1e5', '1e5'],
    ['+49301234', '+49301234'],
    ['4111111111111111', '4111111111111111'],
    ['-0', '-0'],
    ['["a",{"b":1}]', ['a', { b: 1 }]],
    ['[not json', '[not json'],
    ['=1+1', '=1+1'],
    ['two\r\nlines', 'two\nlines'],
  ] as const) {
    expect(untypedValue(cell), cell).toEqual(value)
  }
})

test.each<[AttributeType, string, unknown]>([
  ['number', '1234.56', 1234.56],
  ['number', '+007', 7],
  ['number', '-0', 0],
  ['number', '1e3', 1000],
  ['number', '1,234', 'must be a number'],
  ['number', '1 234', 'must be a number'],
  ['number', '0x10', 'must be a number'],
  ['number', '1e999', 'must be a number'],
  ['number', '9007199254740993', 'has more digits than a number keeps'],
  ['boolean', 'YES', true],
  ['boolean', '0', false],
  ['boolean', 'ja', 'must be true, false'],
  ['date', '2024-02-29', '2024-02-29'],
  ['date', '2024-02-29 10:00+02:00', '2024-02-29T08:00:00Z'],
  ['date', '2024-02-29T10:00:00.5Z', '2024-02-29T10:00:00.500Z'],
  ['date', '2026-02-30', 'must be a date such as 2026-11-24, not "2026-02-30"'],
  ['date', '0000-01-01', 'must be a date'],
  ['date', '24.11.2026', 'must be a date'],
  ['list', 'a;b, c', ['a', 'b, c']],
  ['list', 'a, b', ['a', 'b']],
  ['list', '["a",1]', ['a', '1']],
  ['list', '{"a":1}', 'must be a JSON array'],
  ['list', '"open', 'must be a JSON array'],
  ['string', '42', '42'],
])('a %s: %j', (type, cell, expected) => {
  const result = typedValue(cell, type)
  if ('problem' in result) expect(result.problem).toContain(expected)
  else expect(result.value).toEqual(expected)
})

test('times', () => {
  for (const [text, time] of [
    ['2025-01-31', '2025-01-31T00:00:00.000Z'],
    ['2025-01-31 09:30', '2025-01-31T09:30:00.000Z'],
    ['2025-01-31T09:30:15.5Z', '2025-01-31T09:30:15.500Z'],
    ['2025-01-31 09:30:15 UTC', '2025-01-31T09:30:15.000Z'],
    ['2021-03-02 10:15:30.123456 +0000 UTC', '2021-03-02T10:15:30.123Z'],
    ['2025-01-31T09:30:00+0200', '2025-01-31T07:30:00.000Z'],
    ['2025-01-31T09:30:00-05:30', '2025-01-31T15:00:00.000Z'],
    ['31.01.2025', null],
    ['2025-02-30', null],
    ['2100-02-29', null],
    ['2000-02-29', '2000-02-29T00:00:00.000Z'],
    ['2025-06-31', null],
    ['2025-13-01', null],
    ['2025-01-31T24:00', null],
    ['1738310400', null],
  ] as const) {
    expect(isoTime(text), text).toBe(time)
  }
})

describe('a row passes here exactly when the API takes it', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom('a', '@', '.', 'é', ' ', '\n', '\u2028', '\u200b', '"', ',', '-'),
      maxLength: 10,
    }),
    fc.constantFrom('x'.repeat(200), 'x'.repeat(201), '\ufeff', 'ſ', 'İ'),
  )
  /** Mostly good, so that rows are refused for one reason and not for many. */
  const mostly = (good: fc.Arbitrary<string>) =>
    fc.oneof({ weight: 9, arbitrary: good }, { weight: 1, arbitrary: text })
  const hosts = fc.constantFrom('example.com', 'EXAMPLE.org', 'bücher.example', '1.2.3.4', '-a.de', 'a')
  const email = fc.oneof(
    { weight: 9, arbitrary: fc.emailAddress() },
    { weight: 1, arbitrary: text },
    { weight: 2, arbitrary: fc.tuple(text, hosts).map((parts) => parts.join('@')) },
  )
  const name = mostly(fc.constantFrom('', 'Ada', 'Zoë', " O'Brien ", '李'))
  const zone = mostly(fc.constantFrom('', 'Europe/Berlin', 'UTC', 'America/Bogota', '+01:00', 'America/Nowhere'))
  const language = mostly(fc.constantFrom('', 'en', 'de-AT', 'pt_br', 'x-y', 'zh-hant'))
  const time = mostly(
    fc
      .date({ min: new Date('1969-06-01'), max: new Date('2030-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString()),
  )
  const header = ['email', 'first_name', 'last_name', 'timezone', 'locale', 'consented_at', 'consent_source', 'note']
  const columns = columnsOf(header)

  test('with the same values', () => {
    let taken = 0
    fc.assert(
      fc.property(fc.tuple(email, name, name, zone, language, time, name, name), (cells) => {
        const trimmed = cells.map((cell) => cell.trim())
        const said = (name: string) => trimmed[header.indexOf(name)] || undefined
        const consented_at = isoTime(said('consented_at') ?? '')
        const { attributes: _, ...sent }: Record<string, unknown> = {
          ...Object.fromEntries(header.map((name) => [name, said(name)])),
          locale: said('locale')?.replaceAll('_', '-'),
          // Files may spell times in ways that the API does not take.
          consented_at: consented_at ?? said('consented_at'),
          note: undefined,
          email: said('email') ?? '',
          list_ids: [7],
        }
        if (said('note') !== undefined) sent.attributes = { note: said('note')?.replaceAll('\r\n', '\n') }
        if (sent.consented_at !== undefined) sent.consent_source ??= 'import of people.csv'
        const expected = newSubscriber.safeParse(JSON.parse(JSON.stringify(sent)))
        const result = toRow(columns, cells, OPTIONS)
        if ('row' in result) {
          taken++
          expect(expected.error).toBeUndefined()
          expect(result.row).toEqual(expected.data)
          // Strings of the file are well formed: `binary` makes none that are not.
        } else if (!/cannot be stored/.test(result.problem)) expect(expected.success, result.problem).toBe(false)
      }),
      { numRuns: 4_000 },
    )
    expect(taken).toBeGreaterThan(500)
  })
})

test('whatever cells hold, rows and reasons can be stored', () => {
  const header = ['email', 'name', 'status', 'tags', 'locale', 'list_ids', 'attributes', 'seats', 'born', 'likes', 'x']
  const columns = columnsOf(header)
  const nasty = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    ';',
    'a',
    '1',
    '\\ud83d',
    '\\u0000',
    '\u{1f600}',
    '\u0007',
  )
  const cell = fc.oneof(
    fc.constant(''),
    fc.json({ stringUnit: 'binary' }),
    fc.string({ unit: nasty, maxLength: 60 }),
    fc.string({ unit: fc.constantFrom('\u{1f600}', 'x'), minLength: 21, maxLength: 30 }),
    fc.constant('{"a":{"\\ud800":{"b":"\\u0000"}}}'),
  )
  const is_storable = (value: unknown): boolean =>
    typeof value === 'string'
      ? value.isWellFormed() && !value.includes('\0')
      : typeof value !== 'object' ||
        value === null ||
        Object.entries(value).every(([key, inner]) => is_storable(key) && is_storable(inner))
  fc.assert(
    fc.property(fc.array(cell, { minLength: header.length - 1, maxLength: header.length - 1 }), (cells) => {
      const result = toRow(columns, ['a@example.com', ...cells], { ...OPTIONS, file_name: '\u{1f600}'.repeat(99) })
      expect(is_storable(result)).toBe(true)
      expect('problem' in result ? result.problem.length : 0).toBeLessThan(500)
    }),
    { numRuns: 2_000 },
  )
})

describe('suppressions', () => {
  const columns = columnsOf(['email', 'domain', 'hash', 'reason', 'source', 'created_at'], 'suppressions')
  const suppress = (...cells: string[]) =>
    toSuppression(columns, [...cells, ...Array(6 - cells.length).fill('')], { file_name: 'old.csv' })
  const HASH = 'AB'.repeat(32)

  test('each of the kinds, as the API takes them', () => {
    for (const [cells, row] of [
      [
        ['Ada@Example.com'],
        { kind: 'address', value: 'ada@example.com', reason: 'manual', source: 'import of old.csv' },
      ],
      [
        ['', '@Bücher.example', '', 'Bounce', 'x'],
        { kind: 'domain', value: 'xn--bcher-kva.example', reason: 'bounce', source: 'x' },
      ],
      [
        ['', '', HASH, '', 'y', '2024-01-02'],
        {
          kind: 'hash',
          value: HASH.toLowerCase(),
          reason: 'deleted',
          source: 'y',
          created_at: '2024-01-02T00:00:00.000Z',
        },
      ],
      [
        ['a@example.com', '', '', 'spam', 'z'],
        { kind: 'address', value: 'a@example.com', reason: 'complaint', source: 'z' },
      ],
    ] as const) {
      expect(suppress(...cells)).toEqual({ row })
      expect(newSuppression.parse(row)).toEqual(row)
    }
  })

  test('kind and value, as our export has them', () => {
    const exported = columnsOf(['kind', 'value', 'reason', 'source'], 'suppressions')
    const read = (...cells: string[]) => toSuppression(exported, cells, { file_name: null })
    expect(read('domain', 'example.com', 'manual', '')).toEqual({
      row: { kind: 'domain', value: 'example.com', reason: 'manual', source: null },
    })
    expect(read('phone', '1', '', '')).toEqual({ problem: 'kind must be address, domain or hash, not "phone"' })
  })

  test.each([
    [[], 'email is empty'],
    [['a@example.com', 'example.com'], 'must be one of email, domain and hash'],
    [['nobody'], 'email must contain exactly one @'],
    [['', 'localhost'], 'domain has no dot'],
    [['', '', 'ab12'], 'hash must be 64 hexadecimal digits'],
    [['a@example.com', '', '', 'because'], 'reason "because" is not known'],
    [['a@example.com', '', '', 'deleted'], 'reason "deleted" is not known'],
    [['a@example.com', '', '', '', 'x\ny'], 'source must be one line'],
    [['a@example.com', '', '', '', '', 'then'], 'created_at must be a time'],
  ])('%j is refused', (cells, problem) => {
    const result = suppress(...cells)
    expect('problem' in result && result.problem).toContain(problem)
  })
})

test('lists in quotes', () => {
  expect(listOf('"a;b";c')).toEqual(['a;b', 'c'])
  expect(listOf('a,,b,')).toEqual(['a', 'b'])
})
