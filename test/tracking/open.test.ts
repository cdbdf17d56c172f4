import { afterAll, afterEach, expect, test } from 'vitest'
import { ANYBODY, NOBODY } from '../../src/tokens/nobody.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import { openUrl } from '../../src/tokens/urls.ts'
import { keysWith, NOTHING, NOW, ORIGIN, openEdge, READER } from './edge.ts'

const edge = await openEdge()
const token = await signRecipient(edge.signing_keys, 'open', 7, 42)
const OPEN = {
  event_id: expect.stringMatching(/^event-/),
  kind: 'open',
  campaign_id: 7,
  subscriber_id: 42,
  link: 0,
  occurred_at: NOW,
  ...READER,
}
afterEach(async () => expect(await edge.arrived()).toEqual(NOTHING))
afterAll(() => edge.close())

async function expectPixel(response: Response) {
  expect(response.status).toBe(200)
  expect(response.headers.get('Content-Type')).toBe('image/gif')
  expect(response.headers.get('Cache-Control')).toBe('no-store')
  expect(response.headers.get('Set-Cookie')).toBeNull()
  const bytes = new Uint8Array(await response.arrayBuffer())
  expect(bytes.length).toBe(43)
  expect(new TextDecoder().decode(bytes.subarray(0, 6))).toBe('GIF89a')
}

test('a good token answers the picture and records an open', async () => {
  await expectPixel(await edge.ask(openUrl(ORIGIN, token), { cf: { country: 'DE' } }))
  expect(await edge.arrived()).toEqual({ ...NOTHING, redis: [{ ...OPEN, country: 'DE' }] })
})

test('the ending is optional and a query changes nothing', async () => {
  await expectPixel(await edge.ask(`/t/o/${token}?x=1`))
  expect((await edge.arrived()).redis).toEqual([OPEN])
})

test.each(['XX', 'T1', 'de', '', 'DEU'])('the country %j is unknown', async (country) => {
  await edge.ask(`/t/o/${token}`, { cf: { country } })
  expect((await edge.arrived()).redis).toEqual([OPEN])
})

test('HEAD answers the headers, and is recorded as a machine', async () => {
  const response = await edge.ask(`/t/o/${token}.gif`, { method: 'HEAD' })
  expect(response.status).toBe(200)
  expect(response.headers.get('Content-Type')).toBe('image/gif')
  expect(response.headers.get('Content-Length')).toBe('43')
  expect(await response.text()).toBe('')
  expect((await edge.arrived()).redis).toEqual([
    { ...OPEN, method: 'HEAD', verdict: 'machine', reason: 'head', device: null, client: null },
  ])
})

test('junk answers the picture and records nothing', async () => {
  const click = await signRecipient(edge.signing_keys, 'click', 7, 42)
  const foreign = await signRecipient(await keysWith('revoked'), 'open', 7, 42)
  for (const junk of [
    'x',
    'x.gif',
    `${token}A.gif`,
    token.slice(0, -1),
    click,
    foreign,
    '%00%ff',
    'é',
    '..%2f',
    'A'.repeat(5000),
  ]) {
    await expectPixel(await edge.ask(`/t/o/${junk}`))
  }
  await expectPixel(await edge.ask(`/t/o/${token}/more/parts`))
  expect((await edge.arrived()).redis).toEqual([OPEN])
})

test('a token with any character changed answers the picture and records nothing', async () => {
  for (let at = 0; at < token.length; at++) {
    await expectPixel(
      await edge.ask(`/t/o/${token.slice(0, at)}${token[at] === 'B' ? 'C' : 'B'}${token.slice(at + 1)}.gif`),
    )
  }
})

test('a verifying key records, a redirect-only key does not', async () => {
  await edge.ask(`/t/o/${token}`, {}, { signing_keys: await keysWith('verifying') })
  expect((await edge.arrived()).redis).toEqual([OPEN])
  await expectPixel(await edge.ask(`/t/o/${token}`, {}, { signing_keys: await keysWith('redirect-only') }))
})

test('while Redis is down the queue takes the event', async () => {
  await expectPixel(await edge.ask(`/t/o/${token}`, {}, { redis_down: true }))
  expect(await edge.arrived()).toEqual({ ...NOTHING, queue: [OPEN] })
})

test('with Redis and the queue down the picture still comes', async () => {
  await expectPixel(await edge.ask(`/t/o/${token}`, {}, { redis_down: true, queue_down: true }))
})

test('for everybody: the event names nobody', async () => {
  await expectPixel(await edge.ask(openUrl(ORIGIN, await signRecipient(edge.signing_keys, 'open', 7, ANYBODY))))
  expect((await edge.arrived()).redis).toEqual([{ ...OPEN, subscriber_id: null }])
})

test("a test mail's picture is shown and records nothing", async () => {
  await expectPixel(await edge.ask(openUrl(ORIGIN, await signRecipient(edge.signing_keys, 'open', 7, NOBODY))))
})
