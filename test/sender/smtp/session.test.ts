import { describe, expect, test } from 'vitest'
import { openSlots } from '../../../src/providers/slots.ts'
import { IMPATIENT, kinds, provider, refusal, sendTo, startFaults } from './faults.ts'

const PASSWORD = 'pässwörd€ 山'

describe('the greeting', () => {
  test('nobody listens: later', async () => {
    expect(await refusal(provider(1).connect(openSlots()))).toMatchObject({ kind: 'later', silent: true })
  })

  for (const greeting of ['fin', 'rst', 'none'] as const) {
    test(`${greeting}: later, and the isolate lives on`, async () => {
      const server = await startFaults({ greeting })
      const outcome = await refusal(provider(server.port, {}, IMPATIENT).connect(openSlots()))
      expect(outcome).toMatchObject({ kind: 'later', silent: true })
      const good = await startFaults()
      expect(kinds(await sendTo(good.port, ['ok@example.com']))).toEqual(['sent'])
    })
  }

  test("421 is later, 554 is stop, both with the server's words", async () => {
    const busy = await startFaults({ greeting: 421 })
    expect(await refusal(provider(busy.port).connect(openSlots()))).toEqual({
      kind: 'later',
      answer: 'greeting: 421 fault server says no',
      throttled: true,
    })
    const closed = await startFaults({ greeting: 554 })
    expect(await refusal(provider(closed.port).connect(openSlots()))).toEqual({
      kind: 'stop',
      answer: 'greeting: 554 fault server says no',
    })
  })

  test('a refused connection is closed, not leaked', async () => {
    const server = await startFaults({ greeting: 'none' })
    await refusal(provider(server.port, {}, IMPATIENT).connect(openSlots()))
    await expect.poll(async () => (await server.sessions())[0]?.closed).toBe(true)
  })
})

describe('our name', () => {
  test("is the envelope sender's domain, or the configured one, or an address literal", async () => {
    const server = await startFaults()
    for (const [changes, envelope_from] of [
      [{}, 'bounces@sender.example'],
      [{ ehlo_name: 'mail.sender.example' }, 'bounces@sender.example'],
      [{}, undefined],
    ] as const) {
      await (await provider(server.port, changes).connect(openSlots(), envelope_from)).close()
    }
    expect((await server.sessions()).map(({ commands }) => commands[0])).toEqual([
      'EHLO sender.example',
      'EHLO mail.sender.example',
      'EHLO [127.0.0.1]',
    ])
  })

  test('a server without EHLO is greeted by HELO', async () => {
    const server = await startFaults({ old: true })
    expect(kinds(await sendTo(server.port, ['ok@example.com']))).toEqual(['sent'])
    expect((await server.sessions())[0]?.commands.slice(0, 2)).toEqual(['EHLO sender.example', 'HELO sender.example'])
  })
})

describe('login', () => {
  for (const auth of [['PLAIN'], ['LOGIN'], ['CRAM-MD5', 'LOGIN', 'PLAIN']]) {
    test(`by ${auth.join(', ')} with a password outside ASCII`, async () => {
      const server = await startFaults({ auth, username: 'jürgen', password: PASSWORD })
      const outcomes = await sendTo(server.port, ['ok@example.com'], { username: 'jürgen', password: PASSWORD })
      expect(kinds(outcomes)).toEqual(['sent'])
    })

    test(`by ${auth.join(', ')} with a wrong password: stop, and the password is not in the answer`, async () => {
      const server = await startFaults({ auth, username: 'jürgen', password: 'right' })
      const outcome = await refusal(
        provider(server.port, { username: 'jürgen', password: 'wrong-one' }).connect(openSlots()),
      )
      expect(outcome.kind).toBe('stop')
      expect(outcome.answer).toContain('535 5.7.8')
      expect(outcome.answer).not.toContain('wrong-one')
    })
  }

  test('a temporary failure of the login is later', async () => {
    const server = await startFaults({ auth: ['PLAIN'], username: 'u', password: 'p', refusal: '454 4.7.0 try later' })
    expect((await refusal(provider(server.port, { username: 'u', password: 'x' }).connect(openSlots()))).kind).toBe(
      'later',
    )
  })

  test('credentials that the server has no use for are an error, never silently unused', async () => {
    for (const auth of [undefined, ['CRAM-MD5']]) {
      const server = await startFaults(auth ? { auth } : {})
      const outcome = await refusal(provider(server.port, { username: 'u', password: 'p' }).connect(openSlots()))
      expect(outcome.kind).toBe('stop')
      expect((await server.sessions())[0]?.commands.filter((line) => line.startsWith('AUTH'))).toEqual([])
    }
  })
})

describe('encryption', () => {
  const login = { username: 'u', password: 'p' }
  const auth = ['PLAIN']

  test('STARTTLS: encrypted before the login, EHLO again after it', async () => {
    const server = await startFaults({ tls: 'starttls', auth, ...login, pipelining: true })
    expect(kinds(await sendTo(server.port, ['ok@example.com'], { tls: 'starttls', ...login }))).toEqual(['sent'])
    const [session] = await server.sessions()
    expect(session?.encrypted).toBe(true)
    expect(session?.commands.slice(0, 4)).toEqual([
      'EHLO sender.example',
      'STARTTLS',
      'EHLO sender.example',
      expect.stringMatching(/^AUTH PLAIN /),
    ])
  })

  test('implicit TLS', async () => {
    const server = await startFaults({ tls: 'implicit', auth, ...login })
    expect(kinds(await sendTo(server.port, ['ok@example.com'], { tls: 'implicit', ...login }))).toEqual(['sent'])
    expect((await server.sessions())[0]?.encrypted).toBe(true)
  })

  test('a stripped STARTTLS offer is stop: neither password nor mail goes out in clear text', async () => {
    const server = await startFaults({ auth, ...login })
    const outcome = await refusal(
      provider(server.port, { tls: 'starttls', ...login }).connect(openSlots(), 'a@sender.example'),
    )
    expect(outcome.kind).toBe('stop')
    expect((await server.sessions())[0]?.commands).toEqual(['EHLO sender.example'])
  })

  test('bytes injected before the handshake are refused', async () => {
    const server = await startFaults({
      tls: 'starttls',
      injected: '250-fault.example\r\n250 AUTH PLAIN\r\n',
      auth,
      ...login,
    })
    const outcome = await refusal(provider(server.port, { tls: 'starttls', ...login }).connect(openSlots()))
    expect(outcome).toEqual({ kind: 'stop', answer: 'STARTTLS: bytes were injected before encryption' })
  })

  test('TLS against a server that speaks none is later, and the isolate lives on', async () => {
    const server = await startFaults()
    const outcome = await refusal(provider(server.port, { tls: 'implicit' }).connect(openSlots()))
    expect(outcome).toMatchObject({ kind: 'later', silent: true })
    expect(kinds(await sendTo(server.port, ['ok@example.com']))).toEqual(['sent'])
  })
})
