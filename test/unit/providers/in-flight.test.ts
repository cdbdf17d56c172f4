import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { sendInFlight } from '../../../src/providers/in_flight.ts'
import type { Outcome } from '../../../src/providers/provider.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import { written } from '../../support/outcome.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const SENT: Outcome = { kind: 'sent', answer: '200' }
const after = (ms: number, outcome = SENT) => new Promise<Outcome>((resolve) => setTimeout(resolve, ms, outcome))

test('a mail that waits for a slot longer than any answer may take is not unknown by the clock', async () => {
  const slots = openSlots(1)
  const free = await slots.take()
  const sending = sendInFlight(slots, ['a'], Date.now() + 60_000, () => after(10))
  await vi.advanceTimersByTimeAsync(45_000)
  free()
  await vi.advanceTimersByTimeAsync(10)
  expect((await sending).map(written)).toEqual(['sent'])
})

test('a group that gets no slot before its deadline ends there, untried, and gives the slot back that comes late', async () => {
  const slots = openSlots(1)
  const free = await slots.take()
  let requests = 0
  const sending = sendInFlight(slots, ['a', 'b'], Date.now() + 1_000, () => {
    requests++
    return after(10)
  })
  await vi.advanceTimersByTimeAsync(1_000)
  expect((await sending).map(written)).toEqual(['later, untried', 'later, untried'])
  free()
  const next = await slots.take()
  next()
  expect(requests).toBe(0)
})

test('four groups share four slots: never more requests at once, each mail once, outcomes in order', async () => {
  const slots = openSlots()
  let running = 0
  let most = 0
  const groups = Array.from({ length: 4 }, (_, g) => Array.from({ length: 20 }, (_, i) => `${g}.${i}`))
  const sending = groups.map((group) =>
    sendInFlight(slots, group, Date.now() + 60_000, async (mail) => {
      most = Math.max(most, ++running)
      await after(1 + (mail.length % 3))
      running--
      return { kind: 'sent', answer: mail }
    }),
  )
  await vi.advanceTimersByTimeAsync(1_000)
  expect((await Promise.all(sending)).map((group) => group.map(({ answer }) => answer))).toEqual(groups)
  expect(most).toBe(4)
})

test('a request that is given up is unknown, is told so, and holds its slot until it has truly ended', async () => {
  const slots = openSlots(1)
  let told = false
  const sending = sendInFlight(slots, ['a'], Date.now() + 1_000, (_mail, signal) => {
    signal.addEventListener('abort', () => {
      told = true
    })
    return after(5_000)
  })
  await vi.advanceTimersByTimeAsync(1_000)
  expect((await sending).map(written)).toEqual(['unknown'])
  expect(told).toBe(true)
  let free = false
  const waiting = slots.take().then(() => {
    free = true
  })
  await vi.advanceTimersByTimeAsync(3_000)
  expect(free).toBe(false)
  await vi.advanceTimersByTimeAsync(1_000)
  await waiting
  expect(free).toBe(true)
})

test('a request that fails is unknown, without a throw and without line breaks', async () => {
  const outcomes = sendInFlight(openSlots(), ['a', 'b'], Date.now() + 1_000, async (mail) => {
    throw mail === 'a' ? new Error('Network\r\nconnection lost.') : 'odd'
  })
  expect(await outcomes).toEqual([
    { kind: 'unknown', answer: 'Network connection lost.' },
    { kind: 'unknown', answer: 'the request failed' },
  ])
})

test('after stop nothing more is tried', async () => {
  let requests = 0
  const outcomes = await sendInFlight(openSlots(1), Array(20).fill('a'), Date.now() + 60_000, async () => {
    requests++
    return { kind: 'stop', answer: '403' }
  })
  expect(new Set(outcomes.map(written))).toEqual(new Set(['stop']))
  expect(outcomes).toHaveLength(20)
  expect(requests).toBe(1)
})
