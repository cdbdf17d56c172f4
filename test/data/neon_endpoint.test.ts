import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { api_keys } from '../../src/auth/table.ts'
import { iso } from '../../src/db/iso.ts'
import { sqlState } from '../../src/db/retry.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const key = (name: string) => ({ name, prefix: 'emk_', hash: crypto.randomUUID(), scopes: ['read' as const] })
const names = async () => (await t.sql<{ name: string }>('select name from api_keys order by name')).map((r) => r.name)

describe('values', () => {
  test('typed columns come back as they went in', async () => {
    const at = '2026-01-02T03:04:05.678Z'
    const row = { ...key('žluť "quoted" \\ {a,b} 💌'), scopes: ['read' as const, 'send' as const], created_at: at }
    const [stored] = await t.db.insert(api_keys).values(row).returning()
    expect(stored).toEqual({ ...row, id: expect.any(Number), last_used_at: null, revoked_at: null })
  })

  test('raw statements give numbers where they cast, text where they do not', async () => {
    const { rows } = await t.db.execute(sql`
      select 9007199254740993::bigint as big, 1.50::numeric as price, 3::int as small, 0.5::float8 as half, true as yes,
        null as nothing, '{"a": [1, null]}'::jsonb as json, array['x', null, 'y,"z"', ''] as texts, array[1, 2] as ints,
        ${iso(sql`timestamptz '2026-01-02 03:04:05.6Z'`)} as moment`)
    expect(rows).toEqual([
      {
        big: '9007199254740993',
        price: '1.50',
        small: 3,
        half: 0.5,
        yes: true,
        nothing: null,
        json: { a: [1, null] },
        texts: ['x', null, 'y,"z"', ''],
        ints: [1, 2],
        moment: '2026-01-02T03:04:05.600Z',
      },
    ])
  })

  test('an array is one parameter, whatever is in it', async () => {
    const texts = ['a', 'b"c', "d'e", 'f,g', '{h}', 'i\\j', null, '', 'NULL']
    const { rows } = await t.db.execute(sql`
      select n::int as n, word from unnest(${sql.param(texts)}::text[]) with ordinality as x(word, n) order by n`)
    expect(rows.map((row) => row.word)).toEqual(texts)
  })
})

describe('transactions', () => {
  test('a batch is one transaction: an error undoes all of it', async () => {
    await t.db.batch([t.db.insert(api_keys).values(key('kept')), t.db.insert(api_keys).values(key('kept too'))])
    const twice = key('undone')
    const failed = t.db.batch([t.db.insert(api_keys).values(twice), t.db.insert(api_keys).values(twice)])
    expect(sqlState(await failed.catch((error: unknown) => error))).toBe('23505')
    expect(await names()).toEqual(expect.arrayContaining(['kept', 'kept too']))
    expect(await names()).not.toContain('undone')
  })

  test('isolation level and read-only are honoured', async () => {
    const post = (headers: Record<string, string>, queries: string[]) =>
      fetch(`http://${t.proxy}/sql`, {
        method: 'POST',
        headers: { 'Neon-Connection-String': t.url, ...headers },
        body: JSON.stringify({ queries: queries.map((query) => ({ query, params: [] })) }),
      })
    const level = await post({ 'Neon-Batch-Isolation-Level': 'Serializable' }, ['show transaction_isolation'])
    expect((await level.json()).results[0].rows).toEqual([['serializable']])
    const write = await post({ 'Neon-Batch-Read-Only': 'true' }, ["delete from api_keys where name = 'kept'"])
    expect(write.status).toBe(400)
    expect((await write.json()).code).toBe('25006')
  })
})

describe('errors', () => {
  test('carry all that Postgres says', async () => {
    const row = key('unique')
    await t.db.insert(api_keys).values(row)
    const error = await t.db
      .insert(api_keys)
      .values(row)
      .catch((e: Error) => e.cause)
    expect(error).toMatchObject({
      code: '23505',
      severity: 'ERROR',
      schema: 'public',
      table: 'api_keys',
      constraint: 'api_keys_hash',
      detail: expect.stringContaining(row.hash),
    })
  })

  test('leave the connection usable', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, (_, i) => t.sql(i % 2 ? 'select 1 as one' : 'select 1/0')),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(20)
    expect(await t.sql('select 1 as one')).toEqual([{ one: 1 }])
  })

  test('one statement a string', async () => {
    await expect(t.sql('select 1; select 2')).rejects.toMatchObject({ code: '42601' })
  })

  test('a database that is not there is a 400 with its code', async () => {
    const url = inject('postgres').replace(/postgres$/, 'no_such_database')
    const response = await fetch(`http://${t.proxy}/sql`, {
      method: 'POST',
      headers: { 'Neon-Connection-String': url },
      body: JSON.stringify({ query: 'select 1', params: [] }),
    })
    expect(response.status).toBe(400)
    expect((await response.json()).code).toBe('3D000')
  })

  test('a Postgres that is not there is a 500', async () => {
    const response = await fetch(`http://${t.proxy}/sql`, {
      method: 'POST',
      headers: { 'Neon-Connection-String': 'postgres://emk:emk@127.0.0.1:1/x' },
      body: JSON.stringify({ query: 'select 1', params: [] }),
    })
    expect(response.status).toBe(500)
  })
})

describe('limits', () => {
  test('answers: 60 MB pass, more than 64 MiB is a 507', async () => {
    const [row] = await t.sql<{ text: string }>("select repeat('x', 60000000) as text")
    expect(row?.text.length).toBe(60_000_000)
    await expect(t.sql("select repeat('x', 68000000) as text")).rejects.toThrow('HTTP status 507')
  })

  test('requests: more than 64 MiB is a 413', async () => {
    const response = await fetch(`http://${t.proxy}/sql`, {
      method: 'POST',
      headers: { 'Neon-Connection-String': t.url },
      body: JSON.stringify({ query: 'select length($1)', params: ['x'.repeat(68_000_000)] }),
    })
    expect(response.status).toBe(413)
  })
})
