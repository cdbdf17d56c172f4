// `npm run import` against the real API (its app in Node, over HTTP, on a real database), with faults in between.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ImportOptions, importFile } from '../../scripts/import-file.ts'
import { subscribersCsv } from '../../scripts/make-subscribers.ts'
import { newApiKey } from '../../src/auth/key.ts'
import { api_keys } from '../../src/auth/table.ts'
import { createApp } from '../../src/http/app.ts'
import type { Services } from '../../src/http/services.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { openTestRedis, type TestRedis } from '../support/redis.ts'

let database: TestDatabase
let redis: TestRedis
let server: Server
let api_url: string
let api_key: string
let folder: string

/** What happens to the next parts, one entry each; `pass` when there is none. */
type Fault =
  | 'refuse 503'
  | 'refuse 429'
  | 'lose the request'
  | 'lose half'
  | 'lose the answer'
  | 'refuse for good'
  | 'pass'
let faults: Fault[] = []
/** Where the parts began that came, in order. */
let offsets: number[] = []

beforeAll(async () => {
  database = await openTestDatabase()
  const { key, prefix, hash } = await newApiKey(crypto.getRandomValues(new Uint8Array(32)))
  api_key = key
  await database.db.insert(api_keys).values({ name: 'import', prefix, hash, scopes: ['read', 'write'] })
  redis = openTestRedis()
  const services = {
    db: database.db,
    redis: redis.redis,
    redis_keys: redis.keys,
    hash_key: 'x'.repeat(40),
    public_url: '',
    now: () => new Date(),
  }
  const app = createApp(services as unknown as Services)
  server = createServer(async (incoming, outgoing) => {
    const is_part = incoming.method === 'PATCH'
    const fault = is_part ? (faults.shift() ?? 'pass') : 'pass'
    if (is_part) offsets.push(Number(incoming.headers['upload-offset']))
    const status = { 'refuse 503': 503, 'refuse 429': 429, 'refuse for good': 403 }[fault as string]
    if (status) return void outgoing.writeHead(status, { 'retry-after': '1' }).end('{"detail":"not now"}')
    if (fault === 'lose the request') return void incoming.socket.destroy()
    const request = await requestOf(incoming, fault === 'lose half')
    const waiting: Promise<unknown>[] = []
    const context = { waitUntil: (it: Promise<unknown>) => waiting.push(it), passThroughOnException() {}, props: {} }
    const response = await app.fetch(request, {}, context as never)
    await Promise.all(waiting)
    if (fault === 'lose the answer' || fault === 'lose half') return void incoming.socket.destroy()
    outgoing
      .writeHead(response.status, Object.fromEntries(response.headers))
      .end(Buffer.from(await response.arrayBuffer()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  api_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  folder = mkdtempSync(join(tmpdir(), 'emk-import-'))
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true, force: true })
  await redis.close()
  await database.close()
})
beforeEach(() => {
  faults = []
  offsets = []
})

/** @param is_cut - whether the connection breaks in the middle of the body */
async function requestOf(incoming: IncomingMessage, is_cut: boolean): Promise<Request> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  const whole = Buffer.concat(chunks)
  const body = new ReadableStream({
    start(controller) {
      if (whole.length > 0) controller.enqueue(new Uint8Array(is_cut ? whole.subarray(0, whole.length / 2) : whole))
      if (is_cut) controller.error(new Error('the connection broke off'))
      else controller.close()
    },
  })
  return new Request(`http://api.test${incoming.url}`, {
    method: incoming.method ?? 'GET',
    headers: incoming.headers as Record<string, string>,
    ...(incoming.method === 'GET' || incoming.method === 'DELETE' ? {} : { body, duplex: 'half' }),
  } as RequestInit)
}

const newFile = (text: string | Buffer) => {
  const file = join(folder, `${crypto.randomUUID()}.csv`)
  writeFileSync(file, text)
  return file
}
const pauses: number[] = []
const run = (file: string, options: Partial<ImportOptions> = {}) =>
  importFile({
    file,
    list: 'Newsletter',
    api_url,
    api_key,
    pause: async (ms) => pauses.push(ms),
    ...options,
  })
const count = async (text: string) =>
  (await database.sql<{ n: number }>(`select count(*)::int as n from ${text}`))[0]?.n
const person = async (email: string) => (await database.sql(`select * from subscribers where email = $1`, [email]))[0]

describe('a file of a thousand', () => {
  const parts = { part: 50_000, encoding: 'utf-8' } as const

  test('is imported through lost requests, lost answers and refusals, nobody twice; again it changes nothing', async () => {
    const file = newFile([...subscribersCsv(1_000)].join(''))
    faults = ['lose the answer', 'refuse 503', 'pass', 'lose the request', 'refuse 429', 'lose half', 'lose the answer']
    const seen: number[] = []
    const summary = await run(file, { ...parts, onProgress: (rows) => seen.push(rows) })
    expect(summary).toMatchObject({
      rows: 1_000,
      created: 1_000,
      updated: 0,
      unchanged: 0,
      refused: 0,
      rejected_file: null,
      resumed_after: 0,
    })
    expect(faults).toEqual([])
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.at(-1)).toBe(1_000)
    expect(await count(`subscribers`)).toBe(1_000)
    expect(await count(`list_members where status = 'subscribed' and list_id = ${summary.list_id}`)).toBe(980)
    expect(await count(`list_members where status = 'unsubscribed'`)).toBe(20)
    expect(await count(`consents where action = 'subscribed'`)).toBe(980)
    expect(existsSync(`${file}.import-state.json`)).toBe(false)

    const again = await run(file)
    expect(again).toMatchObject({ rows: 1_000, created: 0, unchanged: 1_000, kept: 0, list_id: summary.list_id })
    expect(await count('consents')).toBe(1_000)
  })

  test('goes on where it was when it was interrupted', async () => {
    const rows = Array.from({ length: 90 }, (_, i) => (i % 10 === 4 ? `bad row ${i}` : `resume${i}@example.com`))
    const file = newFile(`email\n${rows.join('\n')}\n`)
    const small = { part: 500, encoding: 'utf-8' } as const
    faults = ['pass', 'pass', 'refuse for good']
    await expect(run(file, small)).rejects.toThrow('403 not now')
    const [, , at] = offsets
    offsets = []
    const summary = await run(file, small)
    expect(offsets[0]).toBe(at)
    expect(summary).toMatchObject({ rows: 90, created: 81, refused: 9 })
    expect(summary.resumed_after).toBeGreaterThan(20)
    const rejected = parse(readFileSync(String(summary.rejected_file)), { columns: true }) as Record<string, string>[]
    expect(rejected.map(({ line, email }) => [Number(line), email])).toEqual(
      rows.flatMap((text, i) => (text.startsWith('bad') ? [[i + 2, text]] : [])),
    )
    expect(await count("subscribers where email like 'resume%'")).toBe(81)
  })

  test('starts anew when the file or an option changed in between', async () => {
    const file = newFile(`email\n${Array.from({ length: 5 }, (_, i) => `anew${i}@example.com`).join('\n')}\n`)
    faults = ['pass', 'refuse for good']
    const small = { part: 50, encoding: 'utf-8' } as const
    await expect(run(file, small)).rejects.toThrow('403')
    expect(await run(file, { ...small, tags: ['new'] })).toMatchObject({ resumed_after: 0, rows: 5, created: 3 })
  })

  test('a part in which no record ends is not sent for ever', async () => {
    const file = newFile(`email\n"${'x'.repeat(2_000)}@example.com"\n`)
    await expect(run(file, { part: 100, encoding: 'utf-8' })).rejects.toThrow('reads no whole record of 100 bytes')
  })
})

test('a dry run says what would be, and makes no list', async () => {
  const summary = await run(newFile('email,plan\ndry@example.com,pro\nnobody,x\n'), { list: 'Not yet', dry_run: true })
  expect(summary).toMatchObject({ rows: 2, created: 1, refused: 1, list_id: null })
  expect(summary.sample).toMatchObject([{ email: 'dry@example.com', attributes: { plan: 'pro' } }])
  expect(await person('dry@example.com')).toBeUndefined()
  expect(await count(`mailing_lists where name = 'Not yet'`)).toBe(0)
})

test('options reach the import: policy, tags, delimiter, encoding', async () => {
  const file = (text: string) => newFile(Buffer.from(text, 'latin1'))
  await run(file('email;first_name\nopt@example.com;Zo\xeb\n'), { encoding: 'windows-1252', delimiter: 'semicolon' })
  const options = { policy: 'overwrite', tags: ['Fair', 'vip'], map: { n: 'first_name' } } as const
  await run(file('email,n\nopt@example.com,Zora\n'), { ...options, tags: [...options.tags] })
  expect(await person('opt@example.com')).toMatchObject({ first_name: 'Zora', tags: ['fair', 'vip'] })
})

test('suppressions', async () => {
  const file = newFile('email,reason\nno@example.com,complaint\nno@example.com,\nx,\n')
  const summary = await run(file, { list: undefined, kind: 'suppressions' })
  expect(summary).toMatchObject({ rows: 3, created: 1, unchanged: 1, refused: 1, list_id: null })
  expect(await count(`suppressions where value = 'no@example.com' and reason = 'complaint'`)).toBe(1)
})

test('an export of Mailchimp, its three files: who left or is dead is never made mailable', async () => {
  const exports = new URL('../support/exports/', import.meta.url)
  for (const name of ['cleaned', 'unsubscribed', 'subscribed']) {
    const file = join(folder, `${name}_email_audience_export_1a2b3c4d.csv`)
    writeFileSync(file, readFileSync(new URL(`${name}_email_audience_export_1a2b3c4d.csv`, exports)))
    const summary = await run(file, { list: 'Mailchimp' })
    expect(summary).toMatchObject({ format: 'mailchimp', refused: 0 })
  }
  const members = await database.sql(`
    select s.email, s.status, m.status as standing from subscribers s
    join list_members m on m.subscriber_id = s.id join mailing_lists l on l.id = m.list_id
    where l.name = 'Mailchimp' and m.status = 'subscribed' and s.status = 'active' order by s.email`)
  expect(members.map(({ email }) => email)).toEqual(['ada@example.com', 'grace@example.org', 'zoe@xn--caf-dma.example'])
  expect(await person('dead@example.com')).toMatchObject({ status: 'bounced' })
  expect(await person('left@example.com')).toMatchObject({ status: 'unsubscribed' })

  // Who is active here and dead there: with the policy that changes the least of those that change anything.
  const cleaned = readFileSync(join(folder, 'cleaned_email_audience_export_1a2b3c4d.csv'), 'utf8')
  const file = join(folder, 'cleaned_email_audience_export_2.csv')
  writeFileSync(file, cleaned.replace('dead@example.com', 'ADA@example.com'))
  expect(await run(file, { list: 'Mailchimp', policy: 'fill' })).toMatchObject({ rows: 2, updated: 1 })
  expect(await person('ada@example.com')).toMatchObject({ status: 'bounced' })
})

test('refused rows are written with line and reason, the rest goes in', async () => {
  const file = newFile(
    [
      '\ufeffE-Mail;First Name;Status;Note;consented_at',
      'ok1@example.com;"Ada\r\nQuoted ""line""";;x;2025-01-01',
      'ok2@example.com;Zoë;subscribed;"two',
      'lines";',
      'nobody;A;;;',
      ';B;;;',
      'ok3@example.com;C;maybe;;',
      '',
      'ok4@example.com;D;;;1.1.2025',
      'ok5@example.com;E;;;;too;many',
      'ok6@example.com;F',
    ].join('\r\n'),
  )
  const { rejected_file, ...summary } = await run(file, { list: 'Rejects', map: { Note: 'attributes.remark' } })
  expect(summary).toMatchObject({ rows: 8, created: 1, refused: 7 })
  const rejected = parse(readFileSync(String(rejected_file)), {
    columns: true,
    delimiter: ';',
    relax_column_count: true,
  }) as Record<string, string>[]
  expect(rejected.map(({ line, reason }) => `${line} ${reason}`)).toEqual([
    expect.stringMatching(/^2 first_name must be one line/),
    expect.stringMatching(/^6 email must contain exactly one @/),
    expect.stringMatching(/^7 email is empty/),
    expect.stringMatching(/^8 status "maybe"/),
    expect.stringMatching(/^10 consented_at must be a time/),
    '11 has 7 cells, the header names 5 columns',
    '12 has 2 cells, the header names 5 columns',
  ])
  expect(await person('ok2@example.com')).toMatchObject({ first_name: 'Zoë', attributes: { remark: 'two\nlines' } })
})

test('opt-outs and deletions survive the import of an old file', async () => {
  const file = newFile(
    'email,status,consented_at\nleaver@example.com,active,2025-01-01\ngone@example.com,active,2025-01-01\n',
  )
  await run(file, { list: 'Old' })
  await database.sql(`update subscribers set status = 'unsubscribed' where email = 'leaver@example.com'`)
  const call = (method: string, path: string) =>
    fetch(`${api_url}/api/v1${path}`, { method, headers: { authorization: `Bearer ${api_key}` } })
  const gone = await person('gone@example.com')
  expect((await call('DELETE', `/subscribers/${gone?.id}`)).status).toBe(204)
  const summary = await run(file, { list: 'Old' })
  expect(summary).toMatchObject({ created: 0, unchanged: 1, refused: 1, kept: 1 })
  // Of the person who was deleted, nothing is kept: the line says which row it is.
  expect(readFileSync(String(summary.rejected_file), 'utf8')).toMatch(/^3,.*someone who was deleted[^@]*$/m)
  expect(await person('leaver@example.com')).toMatchObject({ status: 'unsubscribed' })
  expect(await person('gone@example.com')).toBeUndefined()
})

describe('stops with a reason', () => {
  test.each([
    ['an empty file', '', {}, 'is empty'],
    ['a file without addresses', 'name\nAda\n', {}, 'No column holds the address'],
    ['an archive', 'PK\u0003\u0004', {}, 'is a ZIP archive'],
    ['a wrong key', 'email\na@example.com\n', { api_key: 'emk_wrong' }, '401'],
    ['an address that is none', 'email\na@example.com\n', { api_url: 'nowhere' }, 'not a URL'],
    ['nobody there', 'email\na@example.com\n', { api_url: 'http://127.0.0.1:1' }, 'gave up after 8 tries'],
  ])('%s', async (_, text, options, message) => {
    await expect(run(newFile(text), options)).rejects.toThrow(message)
  })

  test('no file', async () => {
    await expect(run(join(folder, 'missing.csv'))).rejects.toThrow('there is no file')
    await expect(run(folder)).rejects.toThrow('there is no file')
  })
})

describe('npm run import', () => {
  const command = (...args: string[]) =>
    promisify(execFile)(process.execPath, [join(import.meta.dirname, '../../scripts/import.ts'), ...args]).then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        text: error.stdout + error.stderr,
      }),
    )

  test('prints what it did; refused rows alone are no failure', async () => {
    const file = newFile('Mail,Ort\ncommand@example.com,Köln\nnobody,Bonn\n')
    const access = ['--api', api_url, '--key', api_key, '--list', 'Command']
    const first = await command(
      file,
      ...access,
      '--map',
      'Ort=attributes.city',
      '--consent-source',
      'fair',
      '--policy',
      'overwrite',
    )
    expect(first).toMatchObject({ code: 0 })
    expect(first.text).toContain('a CSV file: utf-8, comma\n  Mail -> email\n  Ort -> attributes.city\n')
    expect(first.text).toContain('2 rows: 1 created, 0 updated, 0 unchanged, 1 refused')
    expect(first.text).toContain(`rejected-`)
    expect(await person('command@example.com')).toMatchObject({ attributes: { city: 'Köln' } })
    expect(await count(`consents where source = 'fair'`)).toBe(1)
  })

  test.each([
    ['nothing to import', ['--list', 'x'], 'name one file'],
    ['no list', ['x.csv'], '--list'],
    ['half an address', ['x.csv', '--list', 'x', '--api', 'http://127.0.0.1:1'], 'go together'],
    ['a policy that is none', ['x.csv', '--list', 'x', '--policy', 'merge'], '--policy must be skip, fill, overwrite'],
    ['suppressions on a list', ['x.csv', '--list', 'x', '--kind', 'suppressions'], 'leave --list out'],
    [
      'a map that is none',
      ['x.csv', '--list', 'x', '--api', 'http://127.0.0.1:1', '--key', 'k', '--map', 'x'],
      'COLUMN=FIELD',
    ],
  ])('%s fails with one line', async (_, args, message) => {
    const { code, text } = await command(...args)
    expect(code).toBe(1)
    expect(text).toMatch(/^import: [^\n]+\n$/)
    expect(text).toContain(message)
  })

  test('a file of which nothing could be imported fails', async () => {
    const { code, text } = await command(newFile('email\nnobody\n'), '--list', 'x', '--api', api_url, '--key', api_key)
    expect(code).toBe(1)
    expect(text).toContain('1 refused')
  })
})

test('pauses grow and follow Retry-After', async () => {
  pauses.length = 0
  faults = ['refuse 503', 'lose the request', 'lose the request', 'pass']
  await run(newFile('email\npauses@example.com\n'))
  expect(pauses).toEqual([1_000, 500, 1_000, 2_000])
})
