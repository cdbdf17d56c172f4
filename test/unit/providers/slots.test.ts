import { expect, test } from 'vitest'
import { openSlots } from '../../../src/providers/slots.ts'

test('as many as there are, the others wait in the order they asked; one given back twice is one', async () => {
  const slots = openSlots(2)
  const order: number[] = []
  const taken = Array.from({ length: 5 }, async (_, i) => {
    const free = await slots.take()
    order.push(i)
    return free
  })
  await Promise.all(taken.slice(0, 2))
  expect(order).toEqual([0, 1])
  const first = await taken[0]
  first?.()
  first?.()
  await taken[2]
  await Promise.resolve()
  expect(order).toEqual([0, 1, 2])
  ;(await taken[1])?.()
  ;(await taken[2])?.()
  await Promise.all(taken)
  expect(order).toEqual([0, 1, 2, 3, 4])
})

test('a slot that nobody waits for is there for the next', async () => {
  const slots = openSlots(1)
  for (let i = 0; i < 3; i++) (await slots.take())()
  const free = await slots.take()
  let second = false
  const waiting = slots.take().then(() => {
    second = true
  })
  await Promise.resolve()
  expect(second).toBe(false)
  free()
  await waiting
  expect(second).toBe(true)
})
