// The edge's buffer as it is deployed, and the invocation that writes for others killed while it does.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WRANGLER } from '../../local/wrangler.ts'

const folder = mkdtempSync(join(tmpdir(), 'buffer-bundle-'))

/** In place of Redis, for what it is asked is looked at: whose events each command holds. */
const commands: string[][] = []
/** Whether commands get no answer. */
let holds = false
const held: ServerResponse[] = []
const redis = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  const [, , ...lines]: string[] = JSON.parse(body)
  commands.push(lines.map((line) => String(JSON.parse(line).subscriber_id)))
  if (holds) held.push(response)
  else response.setHeader('Content-Type', 'application/json').end('{"result":1}')
})

let worker: Miniflare
let origin: string
beforeAll(async () => {
  redis.listen(0, '127.0.0.1')
  await once(redis, 'listening')
  const args = [
    'deploy',
    'test/tracking/buffer-worker.ts',
    '--dry-run',
    '-c',
    'wrangler.tracking.toml',
    '--outdir',
    folder,
  ]
  await promisify(execFile)(process.execPath, [WRANGLER, ...args], {
    env: { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false' },
  })
  worker = new Miniflare(
    convertV4MiniflareOptions({
      modules: [{ type: 'ESModule', path: join(folder, 'buffer-worker.js') }],
      modulesRoot: folder,
      compatibilityDate: '2026-10-01',
      compatibilityFlags: ['nodejs_compat'],
      bindings: { REDIS_URL: `http://127.0.0.1:${(redis.address() as AddressInfo).port}` },
      durableObjects: { VICTIM: 'Victim' },
    }),
  )
  origin = (await worker.ready).origin
})

afterAll(async () => {
  await worker?.dispose()
  redis.closeAllConnections()
  redis.close()
  rmSync(folder, { recursive: true })
})

const ask = async (path: string) => (await fetch(origin + path)).text()
const READERS = ['2', '3', '4', '5', '6']

test('an invocation that dies while it writes for others takes none of them with it', async () => {
  await ask('/victim?who=1')
  const attempt = async () => {
    holds = true
    commands.length = 0
    const answers = [ask('/victim?who=1'), ...READERS.map((who) => ask(`/?who=${who}`))]
    await expect.poll(() => commands.flat().length).toBe(answers.length)
    const [first] = commands
    const alone = commands.length === 1 && first?.[0] === '1'
    const given_up = alone && held[0] ? once(held[0], 'close') : undefined
    holds = false
    commands.length = 0
    if (alone) {
      await ask('/kill')
      await given_up
    }
    for (const response of held.splice(0)) response.destroy()
    return alone ? Promise.all(answers) : Promise.all(answers).then(() => null)
  }
  // The first to come must be the one that dies, and all others come while it waits for them.
  let told = await attempt()
  for (let tries = 0; told === null && tries < 30; tries++) told = await attempt()
  expect(told?.slice(1)).toEqual(READERS.map(() => 'kept'))
  expect(told?.[0]).not.toBe('kept')
  // By the first guard; the second has nothing left to do.
  expect(commands.map((command) => command.toSorted())).toEqual([['1', ...READERS]])
})

test('together they are one command', async () => {
  await expect
    .poll(async () => {
      commands.length = 0
      await Promise.all(READERS.map((who) => ask(`/?who=${who}`)))
      return commands.map((command) => command.length)
    })
    .toEqual([READERS.length])
})
