import { expect, test } from 'vitest'
import { type Gate, waitForPermit } from '../../../src/sending/permit.ts'

const LIMITS = { max_connections: 1, rate_per_second: null }

/** A gate that is full for so many questions, under a clock that only sleeping moves. */
function full(times: number, wait_ms = 1000) {
  const slept: number[] = []
  let asked = 0
  const gate: Gate = {
    take: () => (asked++ < times ? { wait_ms } : { id: 'permit', starts_in_ms: 0 }),
    giveBack: () => undefined,
  }
  const now = () => new Date(slept.reduce((sum, ms) => sum + ms, 0))
  const sleep = async (ms: number) => slept.push(ms)
  return { slept, wait: () => waitForPermit(gate, 100, LIMITS, now, sleep) }
}

test('a free connection is taken at once', async () => {
  const { slept, wait } = full(0)
  expect(await wait()).toEqual({ id: 'permit', starts_in_ms: 0 })
  expect(slept).toEqual([])
})

test('looks again soon, then ever later, up to what the gate says', async () => {
  const { slept, wait } = full(8)
  expect(await wait()).toEqual({ id: 'permit', starts_in_ms: 0 })
  expect(slept).toEqual([25, 50, 100, 200, 400, 800, 1000, 1000])
})

test('gives up when its patience is at an end, and at once when the gate says it would be', async () => {
  const { slept, wait } = full(Number.POSITIVE_INFINITY)
  expect(await wait()).toBeNull()
  expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(28_000)
  const hopeless = full(Number.POSITIVE_INFINITY, 60_000)
  expect(await hopeless.wait()).toBeNull()
  expect(hopeless.slept).toEqual([])
})

test('a gate that cannot be reached grants nothing', async () => {
  const gate: Gate = { take: () => Promise.reject(new Error('away')), giveBack: () => undefined }
  expect(
    await waitForPermit(
      gate,
      1,
      LIMITS,
      () => new Date(0),
      async () => undefined,
    ),
  ).toBeNull()
})
