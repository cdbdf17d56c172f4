// The import engine on a real database: parts, interruptions, races, dry runs. No HTTP: what routes.ts calls is called here.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Problem } from '../../src/http/problem.ts'
import { cancelImport, holdImport } from '../../src/imports/lease.ts'
import type { ImportOptions } from '../../src/imports/options.ts'
import { receivePart } from '../../src/imports/receive.ts'
import { exportRefusals, listRefusals } from '../../src/imports/refusals.ts'
import { forgetImports } from '../../src/imports/retention.ts'
import { findImport, insertImport, type NewImport } from '../../src/imports/store.ts'
import { deleteSubscriber } from '../../src/subscribers/delete.ts'
import { hashEmail } from '../../src/subscribers/erasure.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

const HASH_KEY = 'a key of this test, long enough to be one'

let database: TestDatabase
let list_id: number
beforeAll(async () => {
  database = await openTestDatabase()
  list_id = await newList()
})
afterAll(() => database.close())

const newList = async () => {
  const [row] = await database.sql<{ id: string }>(`insert into mailing_lists (name) values ($1) returning id`, [
    crypto.randomUUID(),
  ])
  return Number(row?.id)
}

const OPTIONS: ImportOptions = {
  policy: 'fill',
  list_ids: [],
  tags: [],
  consent_source: null,
  mapping: {},
  encoding: null,
  delimiter: null,
}
const open = (options: Partial<ImportOptions> = {}, more: Partial<NewImport> = {}) =>
  insertImport(database.db, {
    kind: 'subscribers',
    dry_run: false,
    file_name: 'file.csv',
    size: null,
    ...more,
    options: { ...OPTIONS, ...options },
  })

type Body = string | Uint8Array | ReadableStream<Uint8Array>
const bytesOf = (text: string) => new TextEncoder().encode(text)
const streamOf = (body: Body) =>
  body instanceof ReadableStream ? body : (new Blob([body as string]).stream() as ReadableStream<Uint8Array>)

/** One part, as a request would bring it. */
async function send(import_id: number, body: Body, from: number, complete: boolean) {
  const hold = { import_id, token: crypto.randomUUID() }
  const held = await holdImport(database.db, hold, from)
  await receivePart({ db: database.db, hash_key: HASH_KEY }, held, hold, streamOf(body), complete)
  return read(import_id)
}

async function read(id: number) {
  const found = await findImport(database.db, id)
  if (!found) throw new Error('no such import')
  return found
}

const importWhole = async (csv: string | Uint8Array, options: Partial<ImportOptions> = {}, more = {}) => {
  const id = await open(options, more)
  return send(id, csv, 0, true)
}
const counts = ({ rows, created, updated, unchanged, skipped, refused, kept }: Awaited<ReturnType<typeof read>>) => ({
  ...{ rows, created, updated, unchanged, skipped, refused, kept },
})
const NONE = { rows: 0, created: 0, updated: 0, unchanged: 0, skipped: 0, refused: 0, kept: 0 }
const refusals = async (id: number) =>
  (await listRefusals(database.db, id, 0, 1000)).map(({ line, reason }) => [line, reason])
const caught = async (promise: Promise<unknown>): Promise<Problem> =>
  promise.then(
    () => {
      throw new Error('it did not fail')
    },
    (error) => error,
  )

/** Addresses of one test. */
const domain = () => `${crypto.randomUUID().slice(0, 13)}.example`
const people = (at: string) =>
  database.sql<Record<string, unknown>>(
    `select email, first_name, last_name, status, attributes, tags,
      (select array_agg(m.list_id::int || ':' || m.status order by m.list_id) from list_members m where m.subscriber_id = s.id) as lists,
      (select count(*)::int from consents c where c.subscriber_id = s.id) as consents
    from subscribers s where lower(split_part(email, '@', 2)) = $1 order by lower(email)`,
    [at],
  )
const csv = (at: string, n: number) =>
  `email,first_name,seats\n${Array.from({ length: n }, (_, i) => `p${i}@${at},P${i},${i}\n`).join('')}`
/** Rows long enough that a file of some thousand is read in several pieces. */
const longCsv = (at: string, n: number) =>
  `email,note\n${Array.from({ length: n }, (_, i) => `p${i}@${at},${'note '.repeat(50)}\n`).join('')}`

describe('a whole file', () => {
  test('is read to its end: people, lists, tags and consents', async () => {
    const at = domain()
    const done = await importWhole(
      `email,First name,Plan,consented_at\r\nAda@${at.toUpperCase()},Ada,"pro, ""old""",2024-01-05T10:00:00Z\r\nbob@${at},,,\r\n`,
      { list_ids: [list_id], tags: ['imported'], consent_source: 'shop' },
    )
    expect(done).toMatchObject({ status: 'finished', rows: 2, created: 2, refused: 0, line: 4, is_busy: false })
    expect(done.next_offset).toBe(
      `email,First name,Plan,consented_at\r\nAda@${at},Ada,"pro, ""old""",2024-01-05T10:00:00Z\r\nbob@${at},,,\r\n`
        .length,
    )
    expect(done.columns?.map(({ field }) => field)).toEqual(['email', 'first_name', 'attributes.plan', 'consented_at'])
    expect(await people(at)).toEqual([
      {
        ...{ email: `Ada@${at}`, first_name: 'Ada', last_name: null, status: 'active' },
        ...{ attributes: { plan: 'pro, "old"' }, tags: ['imported'], lists: [`${list_id}:subscribed`], consents: 1 },
      },
      {
        ...{ email: `bob@${at}`, first_name: null, last_name: null, status: 'active' },
        ...{ attributes: {}, tags: ['imported'], lists: [`${list_id}:subscribed`], consents: 1 },
      },
    ])
  })

  test('again changes nothing, and counts every row as unchanged', async () => {
    const at = domain()
    const options = { list_ids: [list_id], consent_source: 'shop' }
    expect(counts(await importWhole(csv(at, 5), options))).toEqual({ ...NONE, rows: 5, created: 5 })
    const before = await people(at)
    expect(counts(await importWhole(csv(at, 5), options))).toEqual({ ...NONE, rows: 5, unchanged: 5 })
    expect(await people(at)).toEqual(before)
  })

  test('one person in several rows: created once, then changed, in the order of the file', async () => {
    const at = domain()
    const file = `email,first_name\na@${at},One\nA@${at},Two\nb@${at},Bee\na@${at},Three\na@${at},Three\n`
    expect(counts(await importWhole(file, { policy: 'overwrite' }))).toEqual({
      ...NONE,
      ...{ rows: 5, created: 2, updated: 2, unchanged: 1 },
    })
    expect((await people(at)).map(({ first_name }) => first_name)).toEqual(['Three', 'Bee'])
  })

  test('people who are there already, in the middle of a long file of new ones', async () => {
    const at = domain()
    const [header, ...rows] = csv(at, 13_000).trimEnd().split('\n')
    const options = { encoding: 'utf-8' as const, list_ids: [list_id], consent_source: 'x' }
    await importWhole([header, ...rows.slice(5000, 5003), ...rows.slice(12_999)].join('\n'), options)
    const done = await importWhole([header, ...rows].join('\n'), options)
    expect(counts(done)).toEqual({ ...NONE, rows: 13_000, created: 12_996, unchanged: 4 })
    const found = await people(at)
    expect(found).toHaveLength(13_000)
    expect(found.every(({ lists, consents }) => String(lists) === `${list_id}:subscribed` && consents === 1)).toBe(true)
  })

  test('a person in every row of a long file: each row takes effect after the one before', async () => {
    const at = domain()
    const file = `email,first_name\n${Array.from({ length: 200 }, (_, i) => `a@${at},N${i % 100}\n`).join('')}`
    const options = { policy: 'overwrite' as const, encoding: 'utf-8' as const }
    expect(counts(await importWhole(file, options))).toEqual({ ...NONE, rows: 200, created: 1, updated: 199 })
    expect((await people(at)).map(({ first_name }) => first_name)).toEqual(['N99'])
  })

  test.each([
    ['skip', { skipped: 2, created: 1 }, ['Old', 'Bee', 'New'], [null, null, ['t']]],
    ['fill', { updated: 2, created: 1 }, ['Old', 'Bee', 'New'], [['t'], ['t'], ['t']]],
    ['overwrite', { updated: 2, created: 1 }, ['Changed', 'Bee', 'New'], [['t'], ['t'], ['t']]],
  ] as const)('policy %s', async (policy, expected, names, tags) => {
    const at = domain()
    await importWhole(`email,first_name\na@${at},Old\nb@${at},\n`)
    if (policy === 'skip') await importWhole(`email,first_name\nb@${at},Bee\n`)
    const file = `email,first_name\na@${at},Changed\nb@${at},Bee\nc@${at},New\n`
    expect(counts(await importWhole(file, { policy, tags: ['t'] }))).toEqual({ ...NONE, rows: 3, ...expected })
    const found = await people(at)
    expect(found.map(({ first_name }) => first_name)).toEqual(names)
    expect(found.map(({ tags }) => ((tags as string[]).length > 0 ? tags : null))).toEqual(tags)
  })

  test('nobody who opted out, bounced or was deleted comes back; who stays so is counted', async () => {
    const at = domain()
    await importWhole(`email,status\nout@${at},unsubscribed\nbounced@${at},bounced\ngone@${at},active\n`)
    const [gone] = await database.sql<{ id: string }>('select id from subscribers where email = $1', [`gone@${at}`])
    await deleteSubscriber(database.db, HASH_KEY, Number(gone?.id))
    const done = await importWhole(
      `email,status,consented_at\nout@${at},active,2025-01-01T00:00:00Z\nbounced@${at},active,\ngone@${at},active,\nnew@${at},active,\n`,
      { policy: 'overwrite', list_ids: [list_id], consent_source: 'x' },
    )
    expect(counts(done)).toEqual({ ...NONE, rows: 4, created: 1, updated: 2, refused: 1, kept: 2 })
    expect((await people(at)).map(({ email, status, lists }) => [email, status, lists])).toEqual([
      [`bounced@${at}`, 'bounced', [`${list_id}:unsubscribed`]],
      [`new@${at}`, 'active', [`${list_id}:subscribed`]],
      [`out@${at}`, 'unsubscribed', [`${list_id}:unsubscribed`]],
    ])
    expect(await refusals(done.id)).toEqual([[4, expect.stringContaining('belongs to someone who was deleted')]])
  })

  test('refusals by Postgres say the line, the reason and the record', async () => {
    const at = domain()
    await database.sql(`insert into attribute_definitions (name, type) values ('born', 'date') on conflict do nothing`)
    const done = await importWhole(
      `email,consented_at,born\na@${at},2999-01-01T00:00:00Z,\nb@${at},,2026-02-30\nc@${at},,2000-01-01\n"d@${at},"\n`,
    )
    expect(counts(done)).toEqual({ ...NONE, rows: 4, created: 1, refused: 3 })
    expect(await refusals(done.id)).toEqual([
      [2, 'consented_at must not lie in the future'],
      [3, expect.stringMatching(/^attributes\.born must be a date/)],
      [5, expect.any(String)],
    ])
    const file = await new Response(exportRefusals(database.db, done.id, done.state?.header ?? [], ',')).text()
    expect(file.split('\r\n').slice(0, 3)).toEqual([
      'line,reason,email,consented_at,born',
      `2,consented_at must not lie in the future,a@${at},2999-01-01T00:00:00Z,`,
      expect.stringMatching(/^3,.*,b@.*,,2026-02-30$/),
    ])
  })

  test('a list that is gone refuses each row', async () => {
    const at = domain()
    const id = await open({ list_ids: [999_999] })
    expect(counts(await send(id, csv(at, 2), 0, true))).toEqual({ ...NONE, rows: 2, refused: 2 })
    expect(await refusals(id)).toEqual([
      [2, 'list_ids names a list that does not exist'],
      [3, 'list_ids names a list that does not exist'],
    ])
    expect(await people(at)).toEqual([])
  })

  test.each([
    ['nothing', '', 'body'],
    ['no column of addresses', 'a,b\n1,2\n', 'map'],
    ['a spreadsheet', new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 0, 0]), 'body'],
  ])('%s: it fails, and says why', async (_, file, field) => {
    const id = await open()
    const problem = await caught(send(id, file, 0, true))
    expect(problem).toMatchObject({ code: 'file_unreadable', members: { import_id: id } })
    expect(problem.errors[0]?.field).toBe(field)
    expect(await read(id)).toMatchObject({ status: 'failed', error: problem.detail, rows: 0, is_busy: false })
    expect(await caught(send(id, 'x', 0, true))).toMatchObject({ code: 'wrong_status' })
  })
})

describe('parts', () => {
  test('a file cut anywhere gives what it gives in one piece', async () => {
    const file = (at: string) =>
      bytesOf(
        `\ufeffE-Mail;Näme;"No;te"\r\n"zoë".x@${at};;\r\nzoe@${at};"Zoë\r\n""Z"" Ü";x\r\n\r\nnobody;;\r\nbob@${at};Bob;"a\nb"\nzoe@${at};Zed;y`,
      )
    const whole = domain()
    const expected = await importWhole(file(whole))
    const expected_people = (await people(whole)).map(({ email: _, ...rest }) => rest)
    const expected_refusals = await refusals(expected.id)
    expect(counts(expected)).toMatchObject({ created: 2, refused: 2 })
    const length = file(whole).length
    const cutAt = async (cut: number) => {
      const at = domain()
      const bytes = file(at)
      const id = await open()
      const first = await send(id, bytes.slice(0, cut), 0, false)
      expect(first.next_offset, `cut at ${cut}`).toBeLessThanOrEqual(cut)
      const done = await send(id, bytes.slice(first.next_offset), first.next_offset, true)
      expect(counts(done), `cut at ${cut}`).toEqual(counts(expected))
      expect([done.line, done.next_offset, done.status]).toEqual([expected.line, length, 'finished'])
      expect(
        (await people(at)).map(({ email: _, ...rest }) => rest),
        `cut at ${cut}`,
      ).toEqual(expected_people)
      expect(await refusals(id)).toEqual(expected_refusals)
    }
    const cuts = Array.from({ length: length + 1 }, (_, cut) => cut)
    for (let i = 0; i < cuts.length; i += 8) await Promise.all(cuts.slice(i, i + 8).map(cutAt))
  })

  test('the same part twice: the second is told where the import is', async () => {
    const at = domain()
    const id = await open({ encoding: 'utf-8' })
    const part = csv(at, 3)
    const first = await send(id, part, 0, false)
    expect(first).toMatchObject({ rows: 3, next_offset: part.length, status: 'receiving' })
    const again = await caught(send(id, part, 0, false))
    expect(again).toMatchObject({ code: 'upload_offset_mismatch', members: { next_offset: part.length } })
    expect(counts(await send(id, `p9@${at},P9,\n`, part.length, true))).toEqual({ ...NONE, rows: 4, created: 4 })
  })

  test('two uploads at once: one is read, the other waits its turn; nothing is counted twice', async () => {
    const at = domain()
    const id = await open({ encoding: 'utf-8' })
    const part = csv(at, 2500)
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => send(id, part, 0, false)))
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
    expect(failures).toHaveLength(3)
    expect(failures.every((code) => code === 'import_busy' || code === 'upload_offset_mismatch')).toBe(true)
    expect(counts(await read(id))).toEqual({ ...NONE, rows: 2500, created: 2500 })
  })

  test('a connection that breaks in the middle: what was written counts, and the rest follows', async () => {
    const at = domain()
    const id = await open({ encoding: 'utf-8' })
    const bytes = bytesOf(longCsv(at, 3000))
    let at_byte = 0
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at_byte > bytes.length / 2) return controller.error(new Error('connection lost'))
        controller.enqueue(bytes.slice(at_byte, at_byte + 50_000))
        at_byte += 50_000
      },
    })
    expect(await caught(send(id, broken, 0, true))).toMatchObject({ message: 'connection lost' })
    const held = await read(id)
    expect(held).toMatchObject({ status: 'receiving', is_busy: false })
    expect(held.rows).toBeGreaterThan(0)
    expect(held.rows).toBeLessThan(3000)
    const done = await send(id, bytes.slice(held.next_offset), held.next_offset, true)
    expect(counts(done)).toEqual({ ...NONE, rows: 3000, created: 3000 })
    expect(await people(at)).toHaveLength(3000)
  })

  test('a body that ends too early, or brings more than the file has, never passes for the whole', async () => {
    const at = domain()
    const file = csv(at, 3)
    const id = await open({ encoding: 'utf-8' }, { size: file.length })
    expect(await caught(send(id, file.slice(0, -4), 0, true))).toMatchObject({ code: 'malformed_request' })
    const held = await read(id)
    expect(held.status).toBe('receiving')
    expect(await caught(send(id, `${file.slice(held.next_offset)}x`, held.next_offset, true))).toMatchObject({
      code: 'malformed_request',
    })
    const { next_offset } = await read(id)
    expect(await send(id, file.slice(next_offset), next_offset, true)).toMatchObject({ status: 'finished', created: 3 })
  })

  test('a part whose lease was taken writes nothing more', async () => {
    const at = domain()
    const id = await open({ encoding: 'utf-8' })
    const part = csv(at, 1500)
    const old = { import_id: id, token: crypto.randomUUID() }
    const held = await holdImport(database.db, old, 0)
    await database.sql(`update imports set lease_until = now() where id = $1`, [id])
    await send(id, part, 0, false)
    const lost = receivePart({ db: database.db, hash_key: HASH_KEY }, held, old, streamOf(part), true)
    expect(await caught(lost)).toMatchObject({ code: 'upload_offset_mismatch', members: { next_offset: part.length } })
    expect(await read(id)).toMatchObject({ status: 'receiving', rows: 1500, created: 1500 })
  })

  test('cancelled in the middle: the part fails, what was written stays', async () => {
    const at = domain()
    const id = await open({ encoding: 'utf-8' })
    const bytes = bytesOf(longCsv(at, 13_000))
    let sent = 0
    const slow = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (sent >= bytes.length) return controller.close()
        controller.enqueue(bytes.slice(sent, sent + 50_000))
        sent += 50_000
        if ((await read(id)).rows > 0) await cancelImport(database.db, id).catch(() => {})
      },
    })
    expect(await caught(send(id, slow, 0, true))).toMatchObject({ code: 'wrong_status' })
    const held = await read(id)
    expect(held.status).toBe('cancelled')
    expect(held.rows).toBe((await people(at)).length)
    expect(held.rows).toBeLessThan(13_000)
    expect(await caught(cancelImport(database.db, id))).toMatchObject({ code: 'wrong_status' })
    expect(await caught(cancelImport(database.db, 999_999))).toMatchObject({ code: 'not_found' })
  })
})

describe('a dry run', () => {
  /** Everything of people that a statement could have left behind, ids that were given out included. */
  const everything = async () =>
    database.sql(`
      select (select count(*)::int from subscribers) as subscribers, (select count(*)::int from list_members) as members,
        (select count(*)::int from consents) as consents, (select count(*)::int from suppressions) as suppressions,
        (select md5(string_agg(s::text, '' order by id)) from subscribers s) as content,
        (select array_agg(last_value order by sequencename) from pg_sequences
          where sequencename in ('subscribers_id_seq', 'consents_id_seq', 'suppressions_id_seq')) as ids`)

  test.each(['skip', 'fill', 'overwrite'] as const)(
    'with policy %s tells what the import then does, and leaves nothing',
    async (policy) => {
      const at = domain()
      const other = await newList()
      await importWhole(
        `email,first_name,status,seats,consented_at\nsame@${at},Same,,1,2024-01-01T00:00:00Z\nempty@${at},,,,\nout@${at},Out,unsubscribed,,\nleft@${at},Left,,,\ngone@${at},Gone,,,\n`,
        { list_ids: [list_id], consent_source: 'first', tags: ['a'] },
      )
      await database.sql(
        `update list_members m set status = 'unsubscribed', unsubscribed_at = now() from subscribers s
        where s.id = m.subscriber_id and s.email = $1`,
        [`left@${at}`],
      )
      const [gone] = await database.sql<{ id: string }>('select id from subscribers where email = $1', [`gone@${at}`])
      await deleteSubscriber(database.db, HASH_KEY, Number(gone?.id))
      const file = [
        'email,first_name,status,seats,consented_at',
        ...[
          'same,Same,,1,2024-01-01T00:00:00Z',
          'empty,Now,,,',
          'out,Other,active,,',
          'left,Left,active,,',
          'gone,Gone,,,',
        ],
        ...[
          'new,New,,2,2024-02-02T00:00:00Z',
          'new,New,,2,2024-02-02T00:00:00Z',
          'bounced,,bounced,,',
          'future,,,,2999-01-01T00:00:00Z',
        ],
      ].map((row, i) => (i === 0 ? row : row.replace(/^\w+/, `$&@${at}`)))
      for (const options of [
        { policy, list_ids: [list_id], tags: ['a'], consent_source: 'first' },
        { policy, list_ids: [list_id, other], tags: ['b'], consent_source: 'second' },
        { policy },
        { policy, consent_source: 'third' },
      ]) {
        const before = await everything()
        const dry = await importWhole(file.join('\n'), options, { dry_run: true })
        expect(await everything()).toEqual(before)
        const real = await importWhole(file.join('\n'), options)
        expect(counts(dry), JSON.stringify(options)).toEqual(counts(real))
        expect(await refusals(dry.id)).toEqual(await refusals(real.id))
        expect(dry).toMatchObject({ status: 'finished', line: real.line, next_offset: real.next_offset })
        expect(real.sample).toBeNull()
      }
    },
  )

  test('shows the first rows as they would be written, also in parts', async () => {
    const at = domain()
    const id = await open({ list_ids: [list_id], tags: ['t'], encoding: 'utf-8' }, { dry_run: true })
    const file = csv(at, 20)
    const cut = file.indexOf('p3@') + 4
    const first = await send(id, file.slice(0, cut), 0, false)
    expect(first.sample).toHaveLength(3)
    const done = await send(id, file.slice(first.next_offset), first.next_offset, true)
    expect(counts(done)).toEqual({ ...NONE, rows: 20, created: 20 })
    expect(done.sample).toHaveLength(10)
    expect(done.sample?.[3]).toEqual({
      ...{ line: 5, outcome: 'created', email: `p3@${at}`, first_name: 'P3', last_name: null, status: 'active' },
      ...{ attributes: { seats: 3 }, timezone: null, locale: null, tags: ['t'], list_ids: [list_id] },
      ...{ consented_at: null, consent_source: null },
    })
    expect(await people(at)).toEqual([])
  })
})

describe('suppressions', () => {
  const suppressed = (at: string) =>
    database.sql(`select kind, value, reason, source from suppressions where value like $1 order by kind, value`, [
      `%${at}%`,
    ])

  test('addresses, domains and hashes; what is there stays, and a dry run writes none', async () => {
    const at = domain()
    const known = `known@${at}`
    await importWhole(`email\n${known}\nother@${at}\n`)
    const hash = await hashEmail(HASH_KEY, known)
    const file = `kind,value,reason,source\naddress,A@${at},bounce,old system\naddress,a@${at},,\ndomain,${at},complaint,\nhash,${hash},,\naddress,nobody,,\n`
    const kind = { kind: 'suppressions' as const }
    const dry = await importWhole(file, {}, { ...kind, dry_run: true })
    expect(counts(dry)).toEqual({ ...NONE, rows: 5, created: 3, unchanged: 1, refused: 1 })
    expect(await suppressed(at)).toEqual([])
    const done = await importWhole(file, {}, kind)
    expect(counts(done)).toEqual(counts(dry))
    expect(await suppressed(at)).toMatchObject([
      { kind: 'address', value: `a@${at}`, reason: 'bounce', source: 'old system' },
      // The person behind the hash.
      { kind: 'address', value: known },
      { kind: 'domain', value: at, reason: 'complaint' },
    ])
    expect(counts(await importWhole(file, {}, kind))).toEqual({ ...NONE, rows: 5, unchanged: 4, refused: 1 })
  })

  test('in parts, the same part twice: each counted once', async () => {
    const at = domain()
    const id = await open({ encoding: 'utf-8' }, { kind: 'suppressions' })
    const part = `email\n${Array.from({ length: 1200 }, (_, i) => `p${i}@${at}\n`).join('')}`
    await Promise.allSettled([send(id, part, 0, false), send(id, part, 0, false)])
    const { next_offset } = await read(id)
    const done = await send(id, part.slice(next_offset), next_offset, true)
    expect(counts(done)).toEqual({ ...NONE, rows: 1200, created: 1200 })
    expect(await suppressed(at)).toHaveLength(1200)
  })
})

test('imports are forgotten after 30 days, with what they refused', async () => {
  const at = domain()
  const [old, young, running] = [await importWhole('email\nx\n'), await importWhole('email\nx\n'), await open()]
  await database.sql(
    `update imports set created_at = now() - interval '31 days', updated_at = now() - interval '31 days' where id = $1`,
    [old.id],
  )
  await database.sql(`update imports set created_at = now() - interval '31 days' where id = $1`, [running])
  expect(await forgetImports(database.db, Date.now() + 10_000, () => new Date())).toBe(1)
  expect(await findImport(database.db, old.id)).toBeUndefined()
  expect(await refusals(old.id)).toEqual([])
  expect(await refusals(young.id)).toHaveLength(1)
  expect(await send(running, csv(at, 1), 0, true)).toMatchObject({ created: 1 })
})

test('25,000 rows, one in a hundred of them garbage', async () => {
  const at = domain()
  const garbage = ['nobody', `"open@${at}`, `a@${at},too,many`, `\0@${at}`, `${'x'.repeat(400)}@${at}`, `"x"y@${at}`]
  const rows = Array.from({ length: 25_000 }, (_, i) =>
    i % 100 === 50 ? (garbage[((i / 100) % garbage.length) | 0] as string) : `p${i}@${at},P${i}`,
  )
  const done = await importWhole(`email,first_name\n${rows.join('\n')}\n`, { list_ids: [list_id], encoding: 'utf-8' })
  expect(counts(done)).toEqual({ ...NONE, rows: 25_000, created: 24_750, refused: 250 })
  const [stored] = await database.sql(
    `select count(*)::int as n from subscribers s join list_members m on m.subscriber_id = s.id
      where lower(split_part(s.email, '@', 2)) = $1`,
    [at],
  )
  expect(stored).toEqual({ n: 24_750 })
  expect((await listRefusals(database.db, done.id, 0, 2000)).map(({ line }) => line)).toEqual(
    Array.from({ length: 250 }, (_, i) => i * 100 + 52),
  )
})
