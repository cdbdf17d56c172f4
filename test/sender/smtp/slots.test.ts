import { describe, expect, test } from 'vitest'
import type { SmtpAccount } from '../../../src/providers/account.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import type { FaultOptions } from '../../support/smtp-fault-server.ts'
import { IMPATIENT, mailTo, provider, refusal, startFaults } from './faults.ts'

/** Whether the only slot is there. */
async function isFree(slots: ReturnType<typeof openSlots>): Promise<boolean> {
  let free = false
  const taken = slots.take().then((give_back) => {
    free = true
    give_back()
  })
  await new Promise((resolve) => setTimeout(resolve, 0))
  if (free) await taken
  return free
}

test('no more connections are open together than there are slots; the next opens when one is closed', async () => {
  const server = await startFaults()
  const slots = openSlots()
  const opening = Array.from({ length: 6 }, () => provider(server.port).connect(slots))
  const [first, ...others] = await Promise.all(opening.slice(0, 4))
  const open = async () => (await server.sessions()).filter(({ closed }) => !closed).length
  expect(await open()).toBe(4)
  expect((await server.sessions()).length).toBe(4)
  await first?.close()
  const fifth = await opening[4]
  expect((await server.sessions()).length).toBe(5)
  await expect.poll(open).toBe(4)
  for (const connection of [...others, fifth]) await connection?.close()
  await (await opening[5])?.close()
  expect((await server.sessions()).length).toBe(6)
})

describe('a slot comes back', () => {
  const login = { username: 'u', password: 'p' }
  const refusals: [string, FaultOptions, Partial<SmtpAccount>][] = [
    ['closed at once', { greeting: 'fin' }, {}],
    ['reset at once', { greeting: 'rst' }, {}],
    ['silent', { greeting: 'none' }, {}],
    ['greeted by 421', { greeting: 421 }, {}],
    ['greeted by 554', { greeting: 554 }, {}],
    ['refused the login', { auth: ['PLAIN'], ...login }, { ...login, password: 'wrong' }],
    ['offered no login', {}, login],
    ['offered no STARTTLS', {}, { tls: 'starttls' }],
    ['injected before TLS', { tls: 'starttls', injected: '250 x\r\n' }, { tls: 'starttls' }],
    ['without TLS where it is implicit', {}, { tls: 'implicit' }],
  ]
  test.each(refusals)('from a server that is, or has, %s', async (_name, options, changes) => {
    const server = await startFaults(options)
    const slots = openSlots(1)
    await refusal(provider(server.port, changes, IMPATIENT).connect(slots))
    expect(await isFree(slots)).toBe(true)
  })

  test('when nobody listens', async () => {
    const slots = openSlots(1)
    await refusal(provider(1).connect(slots))
    expect(await isFree(slots)).toBe(true)
  })

  for (const fault of ['r421', 'drop', 'fin', 'hang', 'garbage', 'dotdrop', 'dothang', 'dot421', 'data250']) {
    test(`from a connection that is lost by ${fault}, before anyone closes it, and only once`, async () => {
      const server = await startFaults({ pipelining: true })
      const slots = openSlots(1)
      const smtp = provider(server.port, {}, IMPATIENT)
      const connection = await smtp.connect(slots)
      expect(await isFree(slots)).toBe(false)
      await connection.send([smtp.prepare(mailTo(`${fault}@example.com`))], Date.now() + 10_000)
      // What waited since isFree got it first and gave it back.
      expect(await isFree(slots)).toBe(true)
      const taken = await slots.take()
      await connection.close()
      expect(await isFree(slots)).toBe(false)
      taken()
    })
  }

  test('from a connection that is closed, twice even, as one', async () => {
    const server = await startFaults()
    const slots = openSlots(1)
    const connection = await provider(server.port).connect(slots)
    await connection.close()
    await connection.close()
    const taken = await slots.take()
    expect(await isFree(slots)).toBe(false)
    taken()
  })
})
