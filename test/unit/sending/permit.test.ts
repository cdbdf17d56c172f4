import { expect, test } from 'vitest'
import { type Asking, type Gate, type NoPermit, returnPermit, waitForPermit } from '../../../src/sending/permit.ts'

const ASKING: Asking = {
  mails: 100,
  limits: { max_connections: 1, rate_per_second: null, per_day: null },
  hold_ms: 1000,
}
const PERMIT = { id: 'permit', mails: 100, starts_in_ms: 0, rate_per_second: null, learn: false }
const FULL: NoPermit = { wait_ms: 1000, factor: 'connections', reason: null }

function gateOf(part: Partial<Gate>): Gate {
  const away = () => Promise.reject(new Error('away'))
  return { take: away, extend: away, giveBack: away, learn: away, reopen: away, standing: away, ...part }
}

/** A gate that grants nothing for so many questions, under a clock that only sleeping moves. */
function full(times: number, answer = FULL) {
  const slept: number[] = []
  let asked = 0
  const gate = gateOf({ take: () => (asked++ < times ? answer : PERMIT) })
  const now = () => new Date(slept.reduce((sum, ms) => sum + ms, 0))
  const sleep = async (ms: number) => slept.push(ms)
  return { slept, wait: () => waitForPermit(gate, ASKING, now, sleep) }
}

test('a free connection is taken at once', async () => {
  const { slept, wait } = full(0)
  expect(await wait()).toEqual(PERMIT)
  expect(slept).toEqual([])
})

test('looks again soon, then ever later, up to what the gate says', async () => {
  const { slept, wait } = full(8)
  expect(await wait()).toEqual(PERMIT)
  expect(slept).toEqual([25, 50, 100, 200, 400, 800, 1000, 1000])
})

test('gives up when its patience is at an end, and at once when the gate says it would be', async () => {
  const { slept, wait } = full(Number.POSITIVE_INFINITY)
  expect(await wait()).toEqual(FULL)
  expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(28_000)
  const day: NoPermit = { wait_ms: 60_000, factor: 'day', reason: null }
  const hopeless = full(Number.POSITIVE_INFINITY, day)
  expect(await hopeless.wait()).toEqual(day)
  expect(hopeless.slept).toEqual([])
})

test('does not wait for an account that is down', async () => {
  const down: NoPermit = { wait_ms: 1000, factor: 'down', reason: '535 5.7.8 bad credentials' }
  const { slept, wait } = full(1, down)
  expect(await wait()).toEqual(down)
  expect(slept).toEqual([])
})

test('a gate that cannot be reached grants nothing', async () => {
  const answer = await waitForPermit(
    gateOf({}),
    ASKING,
    () => new Date(0),
    async () => undefined,
  )
  expect(answer).not.toHaveProperty('id')
  expect(answer).toMatchObject({ wait_ms: expect.any(Number), reason: null })
})

test('a permit that cannot be given back is left to end by itself', async () => {
  const report = { used: 1, sent: 1, silent: 0, throttled: 0, throttled_seconds: null, stop: null, trouble: null }
  await expect(returnPermit(gateOf({}), 'permit', report, ASKING.limits)).resolves.toBeUndefined()
})
