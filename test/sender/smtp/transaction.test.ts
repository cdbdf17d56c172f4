import { describe, expect, test } from 'vitest'
import { UnsendableMail } from '../../../src/providers/provider.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import { written } from '../../support/outcome.ts'
import { kinds, mailTo, provider, sendTo, startFaults } from './faults.ts'

const [before, after] = ['ok+1@example.com', 'ok+2@example.com']

for (const pipelining of [true, false]) {
  describe(pipelining ? 'with PIPELINING' : 'without PIPELINING', () => {
    const around = async (fault: string) => {
      const server = await startFaults({ pipelining })
      const outcomes = await sendTo(server.port, [before, `${fault}@example.com`, after])
      return { outcomes, sessions: await server.sessions() }
    }

    test('all mails of a group go over one connection, each accepted once', async () => {
      const server = await startFaults({ pipelining })
      const recipients = Array.from({ length: 50 }, (_, i) => `ok+${i}@example.com`)
      expect(new Set(kinds(await sendTo(server.port, recipients)))).toEqual(new Set(['sent']))
      const sessions = await server.sessions()
      expect(sessions.map(({ messages }) => messages.flatMap(({ to }) => to))).toEqual([recipients])
      expect(sessions[0]?.commands.at(-1)).toBe('QUIT')
    })

    test('nothing is sent ahead of a reply that had to come first', async () => {
      const { sessions } = await around('ok+x')
      expect(sessions[0]?.ahead).toEqual([])
    })

    test('brackets without blanks, no NOTIFY even when DSN is offered, no option that was not offered', async () => {
      const server = await startFaults({ pipelining, extensions: ['DSN', 'ENHANCEDSTATUSCODES'] })
      await sendTo(server.port, [before])
      const [session] = await server.sessions()
      expect(session?.commands).toEqual([
        'EHLO sender.example',
        'MAIL FROM:<bounces@sender.example>',
        'RCPT TO:<ok+1@example.com>',
        'DATA',
        'QUIT',
      ])
    })

    test('SIZE is stated where offered, and a mail over it is refused unsent while the others go', async () => {
      const server = await startFaults({ pipelining, extensions: ['SIZE 2000', '8BITMIME'] })
      const smtp = provider(server.port)
      const connection = await smtp.connect(openSlots())
      const [small, large] = [smtp.prepare(mailTo(before)), smtp.prepare(mailTo(after, { text: 'x\n'.repeat(2_000) }))]
      const outcomes = await connection.send([large, small, large, small], Date.now() + 10_000)
      await connection.close()
      expect(kinds(outcomes)).toEqual(['never', 'sent', 'never', 'sent'])
      const [session] = await server.sessions()
      expect(session?.commands).toContain(`MAIL FROM:<bounces@sender.example> SIZE=${small.size}`)
      expect(session?.messages.map(({ to }) => to)).toEqual([[before], [before]])
    })

    test('450 at RCPT: later, the others are sent', async () => {
      const { outcomes } = await around('g450')
      expect(outcomes).toEqual([
        expect.objectContaining({ kind: 'sent' }),
        { kind: 'later', answer: '450 4.2.0 Greylisted, come back later' },
        expect.objectContaining({ kind: 'sent' }),
      ])
    })

    test('550 5.1.1 at RCPT: never, the address is dead and is not in the answer; RSET, the others are sent', async () => {
      const { outcomes, sessions } = await around('u550')
      expect(kinds(outcomes)).toEqual(['sent', 'never', 'sent'])
      expect(outcomes[1]).toEqual({ kind: 'never', dead: true, answer: '550 5.1.1 <recipient>: no such user' })
      expect(sessions[0]?.commands).toContain('RSET')
    })

    test('a bare 550 with user-unknown text: dead; a 550 5.7.1: policy; 552 at RCPT: later', async () => {
      const server = await startFaults({ pipelining })
      const outcomes = await sendTo(server.port, [
        'bare550@example.com',
        'policy550@example.com',
        'full552@example.com',
        after,
      ])
      expect(outcomes).toEqual([
        { kind: 'never', dead: true, answer: '550 User unknown' },
        { kind: 'never', dead: false, policy: true, answer: '550 5.7.1 not from you' },
        { kind: 'later', answer: '552 too many recipients' },
        expect.objectContaining({ kind: 'sent' }),
      ])
    })

    test('451 and 550 after the dot: later and never, the others are sent', async () => {
      expect(kinds((await around('dot451')).outcomes)).toEqual(['sent', 'later', 'sent'])
      expect(kinds((await around('dot550')).outcomes)).toEqual(['sent', 'never', 'sent'])
    })

    test('451 at DATA: later, the others are sent', async () => {
      expect(kinds((await around('data451')).outcomes)).toEqual(['sent', 'later', 'sent'])
    })

    test('421 at RCPT: that mail and the ones after it are later, with the code', async () => {
      const { outcomes } = await around('r421')
      expect(outcomes).toEqual([
        expect.objectContaining({ kind: 'sent' }),
        { kind: 'later', answer: '421 4.3.2 going down' },
        { kind: 'later', answer: '421 4.3.2 going down', untried: true },
      ])
    })

    test('421 after the dot: later, not unknown: the server says it did not take the mail', async () => {
      expect((await around('dot421')).outcomes.map(written)).toEqual(['sent', 'later', 'later, untried'])
    })

    for (const fault of ['drop', 'fin', 'hang', 'garbage']) {
      test(`${fault} at RCPT: later for that mail, which is an attempt, and untried for the following`, async () => {
        expect((await around(fault)).outcomes.map(written)).toEqual(['sent', 'later, silent', 'later, untried'])
      })
    }

    for (const fault of ['dotdrop', 'dothang']) {
      test(`${fault}: unknown for the mail whose dot left, untried for the following`, async () => {
        expect((await around(fault)).outcomes.map(written)).toEqual(['sent', 'unknown', 'later, untried'])
      })
    }

    for (const fault of ['dotslow', 'split', 'multi']) {
      test(`${fault} replies: all sent`, async () => {
        expect(kinds((await around(fault)).outcomes)).toEqual(['sent', 'sent', 'sent'])
      })
    }

    test('354 although the recipient was refused: an empty message ends it, nothing is delivered, the others are sent', async () => {
      const { outcomes, sessions } = await around('bad354')
      expect(kinds(outcomes)).toEqual(['sent', 'never', 'sent'])
      expect(sessions[0]?.messages.map(({ to }) => to[0])).toEqual([before, after])
    })

    test('250 where 354 belongs: later, and the connection is not used again', async () => {
      expect((await around('data250')).outcomes.map(written)).toEqual(['sent', 'later', 'later, untried'])
    })

    test('MAIL refused for good: stop for every mail; for now: later', async () => {
      const refused = await startFaults({ pipelining, mail: '550 5.7.1 sender not allowed' })
      expect(kinds(await sendTo(refused.port, [before, after]))).toEqual(['stop', 'stop'])
      const login = await startFaults({ pipelining, mail: '530 5.7.0 log in first' })
      expect(kinds(await sendTo(login.port, [before]))).toEqual(['stop'])
      const busy = await startFaults({ pipelining, mail: '451 4.3.0 busy' })
      expect(kinds(await sendTo(busy.port, [before, after]))).toEqual(['later', 'later'])
    })

    test('a server that ends the session after ten mails: ten sent, the rest later', async () => {
      const server = await startFaults({ pipelining, limit: 10 })
      const outcomes = await sendTo(
        server.port,
        Array.from({ length: 15 }, (_, i) => `ok+${i}@example.com`),
      )
      expect(outcomes.map(written)).toEqual([...Array(10).fill('sent'), 'later', ...Array(4).fill('later, untried')])
    })

    test('the group deadline ends a silent server before its patience does', async () => {
      const server = await startFaults({ pipelining })
      const outcomes = await sendTo(server.port, [before, 'dothang@example.com', after], {}, Date.now() + 300)
      expect(outcomes.map(written)).toEqual(['sent', 'unknown', 'later, untried'])
    })

    test('a deadline that has passed sends nothing', async () => {
      const server = await startFaults({ pipelining })
      expect((await sendTo(server.port, [before], {}, Date.now() - 1)).map(written)).toEqual(['later, untried'])
      expect((await server.sessions())[0]?.messages).toEqual([])
    })

    test('an address outside ASCII goes with SMTPUTF8, and is never sent without', async () => {
      const able = await startFaults({ pipelining, extensions: ['SMTPUTF8', '8BITMIME'] })
      expect(kinds(await sendTo(able.port, ['žofie@example.com']))).toEqual(['sent'])
      const [session] = await able.sessions()
      expect(session?.commands).toContain('MAIL FROM:<bounces@sender.example> BODY=8BITMIME SMTPUTF8')
      expect(session?.messages[0]?.data).toContain('To: žofie@example.com\r\n')
      const unable = await startFaults({ pipelining })
      expect(await sendTo(unable.port, ['žofie@example.com', after])).toEqual([
        { kind: 'never', dead: false, answer: expect.stringContaining('SMTPUTF8') },
        expect.objectContaining({ kind: 'sent' }),
      ])
    })

    test('lines with leading dots and bare line breaks arrive as written', async () => {
      const server = await startFaults({ pipelining })
      const smtp = provider(server.port)
      const connection = await smtp.connect(openSlots())
      const text = '.\n..two\nplain\n.end'
      await connection.send([smtp.prepare(mailTo(before, { text }))], Date.now() + 10_000)
      await connection.close()
      const data = (await server.sessions())[0]?.messages[0]?.data ?? ''
      expect(data.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
      expect(data).toContain('\r\n..\r\n...two\r\nplain\r\n..end\r\n')
    })
  })
}

describe('a connection', () => {
  test('carries one group after another', async () => {
    const server = await startFaults({ pipelining: true })
    const smtp = provider(server.port)
    const connection = await smtp.connect(openSlots())
    for (const group of [['u550@example.com'], ['ok+1@example.com', 'g450@example.com'], ['ok+2@example.com']]) {
      await connection.send(
        group.map((email) => smtp.prepare(mailTo(email))),
        Date.now() + 10_000,
      )
    }
    expect(connection.usable).toBe(true)
    await connection.close()
    const sessions = await server.sessions()
    expect(sessions.map(({ messages }) => messages.map(({ to }) => to[0]))).toEqual([
      ['ok+1@example.com', 'ok+2@example.com'],
    ])
  })

  test('that was lost is not usable; a group sent over it is later, at once, and untried', async () => {
    const server = await startFaults({ pipelining: true })
    const smtp = provider(server.port)
    const connection = await smtp.connect(openSlots())
    await connection.send([smtp.prepare(mailTo('drop@example.com'))], Date.now() + 10_000)
    expect(connection.usable).toBe(false)
    expect((await connection.send([smtp.prepare(mailTo('ok@example.com'))], Date.now() + 10_000)).map(written)).toEqual(
      ['later, untried'],
    )
    await connection.close()
    expect((await server.sessions()).length).toBe(1)
  })

  test('that was closed settles a late send', async () => {
    const server = await startFaults({ pipelining: true })
    const smtp = provider(server.port)
    const connection = await smtp.connect(openSlots())
    await connection.close()
    await connection.close()
    expect((await connection.send([smtp.prepare(mailTo('ok@example.com'))], Date.now() + 10_000)).map(written)).toEqual(
      ['later, untried'],
    )
  })

  test('more than 2,500 mails in one invocation leave no timers behind', async () => {
    const server = await startFaults({ pipelining: true })
    const smtp = provider(server.port)
    const connection = await smtp.connect(openSlots())
    const one = smtp.prepare(mailTo('ok@example.com'))
    let sent = 0
    for (let group = 0; group < 150; group++) {
      const outcomes = await connection.send(Array(20).fill(one), Date.now() + 20_000)
      sent += outcomes.filter(({ kind }) => kind === 'sent').length
    }
    await connection.close()
    expect(sent).toBe(3_000)
    // workerd refuses the 10,001st active timer.
    const timers = Array.from({ length: 9_000 }, () => setTimeout(() => {}, 60_000))
    for (const timer of timers) clearTimeout(timer)
  })

  test('the isolate stays alive after every way a server can close', async () => {
    const server = await startFaults({ pipelining: true })
    for (const fault of ['r421', 'drop', 'fin', 'dotdrop', 'dot421']) {
      await sendTo(server.port, [`${fault}@example.com`, 'ok@example.com'])
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(kinds(await sendTo(server.port, ['ok@example.com']))).toEqual(['sent'])
  })
})

describe('command injection', () => {
  test('through an address never reaches the wire', async () => {
    const server = await startFaults({ pipelining: true })
    const smtp = provider(server.port)
    for (const email of [
      'b@example.com>\r\nRCPT TO:<evil@y.example',
      'b@example.com> NOTIFY=NEVER',
      'a\nDATA@example.com',
    ]) {
      expect(() => smtp.prepare(mailTo(email))).toThrow(UnsendableMail)
      expect(() => smtp.prepare(mailTo('ok@example.com', { envelope_from: email }))).toThrow(UnsendableMail)
    }
  })

  test('a body that holds a final dot and commands is one message', async () => {
    const server = await startFaults({ pipelining: true })
    const smtp = provider(server.port)
    const connection = await smtp.connect(openSlots())
    const text = 'x\r\n.\r\nMAIL FROM:<evil@y.example>\r\n'
    await connection.send([smtp.prepare(mailTo('ok@example.com', { text, html: `${text}é` }))], Date.now() + 10_000)
    await connection.close()
    const [session] = await server.sessions()
    expect(session?.messages.length).toBe(1)
    expect(session?.commands.filter((line) => line.includes('evil'))).toEqual([])
  })
})
