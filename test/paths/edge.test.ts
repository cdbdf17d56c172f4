// emk-tracking as it is deployed, asked over HTTP, also with everything behind it taken away.
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import { signLink } from '../../src/tokens/link.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import { clickBase, openUrl, unsubscribeUrl } from '../../src/tokens/urls.ts'
import { workerBindings } from '../support/bindings.ts'
import { type Cable, layCable } from '../support/cut.ts'
import { openTestRedis } from '../support/redis.ts'

const TARGET = 'https://shop.example/größe/a%2Fb?x=1&y=a+b&u=https%3A%2F%2Fother.example#frag/ment'
const SENT_TO = 'https://shop.example/gr%C3%B6%C3%9Fe/a%2Fb?x=1&y=a+b&u=https%3A%2F%2Fother.example#frag/ment'
const COMPATIBILITY = { compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'] }

const r = openTestRedis()
let cable: Cable
let worker: Miniflare
let origin: string
let open: string
let click: string
let unsubscribe: string
beforeAll(async () => {
  const keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
  cable = await layCable(new URL(r.url).host)
  const bundle = inject('bundles').tracking
  worker = new Miniflare(
    convertV4MiniflareOptions({
      workers: [
        {
          name: 'emk-tracking',
          modules: [{ type: 'ESModule', path: bundle }],
          modulesRoot: dirname(bundle),
          ...COMPATIBILITY,
          bindings: {
            ...workerBindings({ neon: '127.0.0.1:1', redis: inject('redis') }),
            UPSTASH_REDIS_REST_URL: `http://${cable.host}`,
            REDIS_PREFIX: r.prefix,
          },
          serviceBindings: { EVENTS: { name: 'queue', entrypoint: 'Queue' } },
        },
        {
          // The queue's place is taken by one that is out of order.
          name: 'queue',
          modules: true,
          ...COMPATIBILITY,
          script: `import { WorkerEntrypoint } from 'cloudflare:workers'
            export class Queue extends WorkerEntrypoint {
              send() { throw new Error('Internal Server Error') }
              sendBatch() { throw new Error('Internal Server Error') }
            }
            export default { fetch: () => new Response(null, { status: 404 }) }`,
        },
      ],
    }),
  )
  origin = (await worker.ready).origin
  open = openUrl(origin, await signRecipient(keys, 'open', 7, 42))
  click = `${clickBase(origin, await signRecipient(keys, 'click', 7, 42))}/${await signLink(keys, 7, 3, TARGET)}`
  unsubscribe = unsubscribeUrl(origin, await signRecipient(keys, 'unsubscribe', 7, 42))
})
afterAll(async () => {
  await worker?.dispose()
  await cable?.close()
  await r.close()
})
beforeEach(() => cable.mend())

const ask = (url: string, init: RequestInit = {}) => fetch(url, { redirect: 'manual', ...init })
const leave = () => ask(unsubscribe, { method: 'POST', body: new URLSearchParams({ scope: 'lists' }) })
const events = async () => {
  const lists = await Promise.all(r.keys.event_shards.map((list) => r.redis.lrange(list, 0, -1)))
  return lists.flat().map((line) => JSON.parse(String(line)))
}

async function expectPixel(response: Response) {
  expect([response.status, response.headers.get('content-type'), response.headers.get('content-length')]).toEqual([
    200,
    'image/gif',
    '43',
  ])
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect((await response.arrayBuffer()).byteLength).toBe(43)
}

function expectRedirect({ status, headers }: Response) {
  expect([status, headers.get('location')]).toEqual([302, SENT_TO])
  expect([headers.get('cache-control'), headers.get('referrer-policy')]).toEqual(['no-store', 'no-referrer'])
}

test('with Postgres, Redis and the queue down pixels and redirects work, and nobody is told to have left', async () => {
  cable.cut()
  for (let n = 0; n < 5; n++) {
    await expectPixel(await ask(open))
    expectRedirect(await ask(click))
  }
  const response = await leave()
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '60'])
  expect(await response.text()).toContain('still subscribed')
  // The page itself needs nothing.
  expect((await ask(unsubscribe)).status).toBe(200)
  cable.mend()
  expect((await leave()).status).toBe(200)
  const left = (await events()).filter(({ kind }) => kind === 'unsubscribe')
  expect(left).toMatchObject([{ subscriber_id: 42, scope: 'lists', verdict: 'human' }])
})

test('HEAD answers as GET does, without a body', async () => {
  const pixel = await ask(open, { method: 'HEAD' })
  expect([pixel.status, pixel.headers.get('content-type'), pixel.headers.get('content-length')]).toEqual([
    200,
    'image/gif',
    '43',
  ])
  expectRedirect(await ask(click, { method: 'HEAD' }))
  expect((await ask(`${origin}/robots.txt`, { method: 'HEAD' })).status).toBe(200)
  expect((await ask(`${origin}/nothing`, { method: 'HEAD' })).status).toBe(404)
})

test.each([
  ['open', 'GET, HEAD, OPTIONS'],
  ['click', 'GET, HEAD, OPTIONS'],
  ['unsubscribe', 'GET, HEAD, POST, OPTIONS'],
  ['robots', 'GET, HEAD, OPTIONS'],
])('%s says which methods it takes', async (name, allow) => {
  const url = { open, click, unsubscribe, robots: `${origin}/robots.txt` }[name] ?? ''
  const preflight = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' }
  const options = await ask(url, { method: 'OPTIONS', headers: preflight })
  expect([options.status, options.headers.get('allow')]).toEqual([204, allow])
  expect(options.headers.get('access-control-allow-origin')).toBeNull()
  for (const method of ['PUT', 'DELETE', 'PATCH', 'PROPFIND', ...(name === 'unsubscribe' ? [] : ['POST'])]) {
    const refused = await ask(url, { method })
    expect([method, refused.status, refused.headers.get('allow')]).toEqual([method, 405, allow])
  }
})

test('no answer is an error of ours, sets a cookie or leads elsewhere, whatever is asked', async () => {
  const encoded = encodeURIComponent(click.slice(origin.length))
  const paths = [
    ...[
      '/',
      '//',
      '/t',
      '/t/',
      '/t/o',
      '/t/o/',
      '/t/c',
      '/t/c/',
      '/t/c/a',
      '/t/c/a/b',
      '/t/c/a/b/c',
      '/t/x/y',
      '/u',
      '/u/',
    ],
    ...[
      '/u/a/b',
      '/favicon.ico',
      '/.env',
      '/wp-login.php',
      '/t/o/..%2f..%2fetc',
      '/t/c/%00/%0d%0aSet-Cookie:a=b',
      '/%',
      '/%ff',
    ],
    ...[
      '/t/c/https:%2f%2fevil.example/x',
      '/t/c//https://evil.example/',
      '/t/o/x.gif?url=https://evil.example',
      `/${encoded}`,
    ],
    ...[`/t/o/${'a'.repeat(12_000)}`, `/t/c/${'a/'.repeat(6000)}`, `/u/${'%61'.repeat(4000)}`, '/'.repeat(12_000)],
    ...[`/t/c/x/${'1.7.3.'.repeat(2000)}`, `/robots.txt?${'a=b&'.repeat(3000)}`],
  ]
  for (const path of paths) {
    for (const method of ['GET', 'POST']) {
      const response = await ask(`${origin}${path}`, { method })
      const about = `${method} ${path.slice(0, 60)}`
      expect(response.status, about).toBeGreaterThanOrEqual(200)
      expect(response.status, about).toBeLessThan(500)
      expect([response.headers.get('location'), response.headers.get('set-cookie')], about).toEqual([null, null])
    }
  }
  for (const url of [open, click, unsubscribe]) expect((await ask(url)).headers.get('set-cookie')).toBeNull()
})

test('a request by hand, with a target, headers and a host that no browser sends', async () => {
  const { hostname, port } = new URL(origin)
  const by_hand = async (head: string) => {
    const socket = connect(Number(port), hostname)
    socket.end(head)
    let answer = ''
    for await (const chunk of socket) answer += chunk
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
  }
  const path = open.slice(origin.length)
  const flood = Array.from({ length: 300 }, (_, n) => `X-Flood-${n}: ${'x'.repeat(30)}\r\n`).join('')
  const agent = `User-Agent: ${'Mozilla/5.0 ('.repeat(1260)}\r\n`
  const garbage = 'User-Agent: \xff\xfe\x01(((\r\nSec-Purpose: ;;;\xe9\r\nPurpose: \r\nCookie: a=b\r\n'
  const end = 'Host: x\r\nConnection: close\r\n\r\n'
  for (const headers of [flood, agent, garbage])
    expect(await by_hand(`GET ${path} HTTP/1.1\r\n${headers}${end}`)).toBe(200)
  for (const target of ['/t/o/ x', 'http://evil.example/', '/\x80']) {
    expect(await by_hand(`GET ${target} HTTP/1.1\r\n${end}`)).toBeLessThan(500)
  }
})
