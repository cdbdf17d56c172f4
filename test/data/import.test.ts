// The import against the real API (its app in Node, over HTTP, on a real database), with faults in between.
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

let database: TestDatabase
let server: Server
let api_url: string
let api_key: string
let folder: string

/** What happens to the next bulk calls, one entry each; `pass` when there is none. */
let faults: ('pass' | 'refuse 503' | 'refuse 429' | 'lose the request' | 'lose the answer' | 'refuse for good')[] = []
let bulk_calls = 0
/** Idempotency-Keys in the order they came. */
let keys: string[] = []

beforeAll(async () => {
  database = await openTestDatabase()
  const { key, prefix, hash } = await newApiKey(crypto.getRandomValues(new Uint8Array(32)))
  api_key = key
  await database.db.insert(api_keys).values({ name: 'import', prefix, hash, scopes: ['read', 'write'] })
  const services = { db: database.db, hash_key: 'x'.repeat(40), public_url: '', now: () => new Date() }
  const app = createApp(services as unknown as Services)
  server = createServer(async (incoming, outgoing) => {
    const request = await requestOf(incoming)
    const fault = incoming.url === '/api/v1/subscribers/bulk' ? (faults.shift() ?? 'pass') : 'pass'
    if (incoming.url === '/api/v1/subscribers/bulk') {
      bulk_calls++
      keys.push(String(incoming.headers['idempotency-key']))
    }
    const status = { 'refuse 503': 503, 'refuse 429': 429, 'refuse for good': 403 }[fault as string]
    if (status) return void outgoing.writeHead(status, { 'retry-after': '1' }).end('{"detail":"not now"}')
    if (fault === 'lose the request') return void incoming.socket.destroy()
    const waiting: Promise<unknown>[] = []
    const context = { waitUntil: (it: Promise<unknown>) => waiting.push(it), passThroughOnException() {}, props: {} }
    const response = await app.fetch(request, {}, context as never)
    await Promise.all(waiting)
    if (fault === 'lose the answer') return void incoming.socket.destroy()
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
  await database.close()
})
beforeEach(() => {
  faults = []
  bulk_calls = 0
  keys = []
})

async function requestOf(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  return new Request(`http://api.test${incoming.url}`, {
    method: incoming.method ?? 'GET',
    headers: incoming.headers as Record<string, string>,
    ...(body.length > 0 ? { body } : {}),
  })
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
  test('is imported through lost requests, lost answers and refusals, nobody twice; again it changes nothing', async () => {
    const file = newFile([...subscribersCsv(1_000)].join(''))
    faults = ['lose the answer', 'refuse 503', 'pass', 'lose the request', 'refuse 429', 'lose the answer', 'pass']
    const seen: number[] = []
    const summary = await run(file, { chunk: 300, onProgress: (rows) => seen.push(rows) })
    expect(summary).toMatchObject({
      rows: 1_000,
      created: 1_000,
      updated: 0,
      unchanged: 0,
      refused: 0,
      rejected_file: null,
    })
    expect(faults).toEqual([])
    expect(new Set(keys).size).toBe(4)
    expect(seen).toEqual([300, 600, 900, 1_000])
    expect(await count(`subscribers`)).toBe(1_000)
    expect(await count(`list_members where status = 'subscribed' and list_id = ${summary.list_id}`)).toBe(980)
    expect(await count(`list_members where status = 'unsubscribed'`)).toBe(20)
    expect(await count(`consents where action = 'subscribed'`)).toBe(980)
    expect(existsSync(`${file}.import-state.json`)).toBe(false)

    const again = await run(file)
    expect(again).toMatchObject({
      rows: 1_000,
      created: 0,
      updated: 0,
      unchanged: 1_000,
      kept: 0,
      list_id: summary.list_id,
    })
    expect(await count('consents')).toBe(1_000)
  })

  test('goes on where it was when it was interrupted', async () => {
    const rows = Array.from({ length: 90 }, (_, i) => (i % 10 === 4 ? `bad row ${i}` : `resume${i}@example.com`))
    const file = newFile(`email\n${rows.join('\n')}\n`)
    faults = ['pass', 'pass', 'refuse for good']
    await expect(run(file, { chunk: 20 })).rejects.toThrow('403 not now')
    expect(await count(`subscribers where email like 'resume%'`)).toBe(36)
    bulk_calls = 0
    const summary = await run(file, { chunk: 20 })
    expect(bulk_calls).toBe(3)
    expect(summary).toMatchObject({ rows: 90, created: 81, refused: 9, resumed_after: 40 })
    const rejected = parse(readFileSync(String(summary.rejected_file)), { columns: true }) as Record<string, string>[]
    expect(rejected.map(({ line, email }) => [Number(line), email])).toEqual(
      rows.flatMap((text, i) => (text.startsWith('bad') ? [[i + 2, text]] : [])),
    )
  })

  test('starts anew when the file or an option changed in between', async () => {
    const file = newFile(`email\n${Array.from({ length: 5 }, (_, i) => `anew${i}@example.com`).join('\n')}\n`)
    faults = ['pass', 'refuse for good']
    await expect(run(file, { chunk: 2 })).rejects.toThrow('403')
    expect(await run(file, { chunk: 3 })).toMatchObject({ resumed_after: 0, created: 3, unchanged: 2 })
  })
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
  expect(summary).toMatchObject({ rows: 8, created: 2, refused: 6 })
  const rejected = parse(readFileSync(String(rejected_file)), { columns: true, relax_column_count: true }) as Record<
    string,
    string
  >[]
  // What the file reader refuses is known before the API's answers are.
  expect(rejected.map(({ line, reason }) => `${line} ${reason}`).sort()).toEqual([
    expect.stringMatching(/^10 consented_at/),
    expect.stringMatching(/^11 has 7 columns/),
    expect.stringMatching(/^2 first_name must be one line/),
    expect.stringMatching(/^6 email must contain exactly one @/),
    expect.stringMatching(/^7 email is empty/),
    expect.stringMatching(/^8 status "maybe"/),
  ])
  expect(await person('ok2@example.com')).toMatchObject({ first_name: 'Zoë', attributes: { remark: 'two\nlines' } })
  expect(await person('ok6@example.com')).toMatchObject({ first_name: 'F' })
})

test('opt-outs and deletions survive the import of an old file', async () => {
  const file = newFile(
    'email,status,consented_at\nleft@example.com,active,2025-01-01\ngone@example.com,active,2025-01-01\n',
  )
  await run(file, { list: 'Old' })
  await database.sql(`update subscribers set status = 'unsubscribed' where email = 'left@example.com'`)
  const call = (method: string, path: string) =>
    fetch(`${api_url}/api/v1${path}`, { method, headers: { authorization: `Bearer ${api_key}` } })
  const gone = await person('gone@example.com')
  expect((await call('DELETE', `/subscribers/${gone?.id}`)).status).toBe(204)
  const summary = await run(file, { list: 'Old' })
  expect(summary).toMatchObject({ created: 0, unchanged: 1, refused: 1, kept: 1 })
  expect(readFileSync(String(summary.rejected_file), 'utf8')).toMatch(/^3,.*deleted.*gone@example\.com/m)
  expect(await person('left@example.com')).toMatchObject({ status: 'unsubscribed' })
  expect(await person('gone@example.com')).toBeUndefined()
})

describe('stops with a reason', () => {
  test.each([
    ['an empty file', '', {}, 'is empty'],
    ['a file without addresses', 'name\nAda\n', {}, 'no column holds the address'],
    [
      'a quote that is never closed',
      `email\na@example.com\n"b@example.com\n${'x\n'.repeat(600_000)}`,
      {},
      'after the record in line 2',
    ],
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
      '--chunk',
      '1',
    )
    expect(first).toMatchObject({ code: 0 })
    expect(first.text).toContain('2 rows: 1 created, 0 updated, 0 unchanged, 1 refused')
    expect(first.text).toContain(`rejected-`)
    expect(await person('command@example.com')).toMatchObject({ attributes: { city: 'Köln' } })
    expect(await count(`consents where source = 'fair'`)).toBe(1)
  })

  test.each([
    ['nothing to import', ['--list', 'x'], 'name one file'],
    ['no list', ['x.csv'], '--list'],
    ['half an address', ['x.csv', '--list', 'x', '--api', 'http://127.0.0.1:1'], 'go together'],
    ['a chunk over the limit', ['x.csv', '--list', 'x', '--chunk', '1001'], '--chunk'],
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
