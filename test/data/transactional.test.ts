// Single mails over a real ledger of their own, with a provider whose answers the test decides.
import type { SQL } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import { ConnectionRefused, type Mail, type Outcome, type Provider } from '../../src/providers/provider.ts'
import type { NoPermit } from '../../src/sending/permit.ts'
import { SEND_SETTINGS } from '../../src/sending/settings.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys, type SigningKeys } from '../../src/tokens/keys.ts'
import { readMailTokenAddress, verifyMailToken } from '../../src/tokens/mail-token.ts'
import type { TransactionalSender } from '../../src/transactional/carry.ts'
import { consumeTransactional } from '../../src/transactional/consume.ts'
import { findTestSend, forgetSends, insertSend, overdueMails } from '../../src/transactional/store.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { grant, openGate, UNLIMITED } from '../support/open-gate.ts'

let t: TestDatabase
let signing_keys: SigningKeys
beforeAll(async () => {
  signing_keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
  t = await openTestDatabase()
})
afterAll(() => t.close())

const SENT: Outcome = { kind: 'sent', answer: '250 ok', provider_message_id: 'p-1' }

/** Writes down what it carried and answers as told. */
function scripted(answer: (mail: Mail) => Outcome | Promise<Outcome> = () => SENT) {
  const carried: Mail[] = []
  let open = 0
  let refuse: ConnectionRefused | null = null
  const provider: Provider<Mail> = {
    prepare: (mail) => mail,
    async connect() {
      if (refuse) throw refuse
      open++
      return {
        usable: true,
        async send(group) {
          const outcomes: Outcome[] = []
          for (const mail of group) {
            carried.push(mail)
            outcomes.push(await answer(mail))
          }
          return outcomes
        },
        async close() {
          open--
        },
      }
    },
  }
  return {
    carried,
    provider: provider as Provider,
    open: () => open,
    refuse(outcome: ConstructorParameters<typeof ConnectionRefused>[0]) {
      refuse = new ConnectionRefused(outcome)
    },
  }
}

/** All connections are taken. */
const FULL: NoPermit = { wait_ms: 1000, factor: 'connections', reason: null }

function sender(provider: Provider, more: Partial<TransactionalSender> = {}): TransactionalSender {
  return {
    db: t.db,
    signing_keys,
    allowlist: () => true,
    sending: true,
    settings: SEND_SETTINGS,
    candidates: (name) => (name === 'missing' ? [] : [{ name: name ?? 'main', provider, limits: UNLIMITED }]),
    gate: () => openGate({ take: (asking) => (asking.ahead ? grant(asking) : FULL) }),
    now: () => new Date(),
    random: () => 0,
    uuid: () => crypto.randomUUID(),
    sleep: async () => undefined,
    ...more,
  }
}

const CONTENT = {
  campaign_id: 7,
  subscriber_id: 1,
  from: { email: 'news@acme.example', name: 'Acme' },
  reply_to: null,
  subject: '[Test] Hello',
  html: '<p>Hello</p>',
  text: 'Hello',
  headers: [['X-EMK-Test', 'campaign-7']] as [string, string][],
  envelope_from: 'news@acme.example',
  account: null as string | null,
}

let count = 0
const address = () => `person-${++count}@example.com`

const newSend = (emails: string[], account: string | null = null) =>
  insertSend(
    t.db,
    { purpose: 'test', campaign_id: 7, content: { ...CONTENT, account }, warnings: [] },
    emails.map((email) => ({ email, hash: `hash of ${email}`, reason: null })),
  )

/** Delivers pointers as the queue does. @returns seconds for each that comes back, null for each that is taken */
async function deliver(s: TransactionalSender, ids: number[]) {
  const answers = new Map<number, number | null>()
  const messages = ids.map((mail_id) => ({
    body: { mail_id },
    attempts: 1,
    ack: () => void answers.set(mail_id, null),
    retry: ({ delaySeconds }: { delaySeconds: number }) => void answers.set(mail_id, delaySeconds),
  }))
  await consumeTransactional(s, messages)
  return ids.map((id) => answers.get(id))
}

const states = async (id: number) =>
  (await findTestSend(t.db, id))?.mails.map(({ state, reason }) => [state, reason].filter(Boolean).join(' '))

const content = async (id: number) =>
  (await t.sql('select content is not null as kept from transactional_sends where id = $1', [id]))[0]?.kept

/** As if so much time had passed. */
const age = (ids: number[], seconds: number) =>
  t.sql('update transactional_mails set due_at = due_at - make_interval(secs => $2) where id = any($1::bigint[])', [
    ids,
    seconds,
  ])

test('its bounces come back to the domain of the account that carries it, by an address that names nobody', async () => {
  const { queued } = await newSend([address()])
  const smtp = scripted()
  const bounce_domain = 'bounces.acme.example'
  const candidates = () => [{ name: 'main', provider: smtp.provider, limits: UNLIMITED, bounce_domain }]
  await deliver(sender(smtp.provider, { candidates }), queued)
  const { token = '' } = readMailTokenAddress(smtp.carried[0]?.envelope_from ?? '') ?? {}
  expect(smtp.carried[0]?.envelope_from).toBe(`b.${token}@${bounce_domain}`)
  expect(await verifyMailToken(signing_keys, 'bounce', token)).toMatchObject({ campaign_id: 7, subscriber_id: 1 })
})

test('each mail goes out once, however often and by however many its pointer is delivered', async () => {
  const emails = [address(), address(), address()]
  const { id, queued } = await newSend(emails)
  const smtp = scripted()
  const s = sender(smtp.provider)
  await Promise.all(Array.from({ length: 6 }, () => deliver(s, queued)))
  expect(await deliver(s, queued)).toEqual([null, null, null])
  expect(smtp.carried.map((mail) => mail.to.email).sort()).toEqual([...emails].sort())
  expect(smtp.open()).toBe(0)
  const [first] = smtp.carried
  expect(first).toMatchObject({ subject: '[Test] Hello', html: '<p>Hello</p>', envelope_from: 'news@acme.example' })
  expect(new Set(smtp.carried.map((mail) => mail.message_id)).size).toBe(3)
  expect((await findTestSend(t.db, id))?.mails[0]).toMatchObject({
    email: emails[0],
    state: 'sent',
    answer: '250 ok',
    attempts: 1,
    account: 'main',
    provider_message_id: 'p-1',
    sent_at: expect.stringMatching(/Z$/),
  })
  expect(await content(id)).toBe(false)
})

describe('who must not be mailed', () => {
  test('is skipped from the start, with the reason', async () => {
    const [suppressed, gone, left, deleted, free] = [address(), address(), address(), address(), address()]
    await t.sql(
      `insert into suppressions (kind, value, reason)
       values ('address', $1, 'manual'), ('domain', 'no.example', 'manual'), ('hash', $2, 'deleted')`,
      [suppressed, `hash of ${deleted}`],
    )
    await t.sql(
      `insert into subscribers (email, status) values ($1, 'bounced'), ($2, 'unsubscribed'), ($3, 'active')`,
      [gone.toUpperCase(), left, free],
    )
    const { id, queued } = await newSend([suppressed.toUpperCase(), 'a@no.example', gone, left, deleted, free])
    expect(await states(id)).toEqual([
      'skipped suppressed',
      'skipped suppressed',
      'skipped bounced',
      'skipped unsubscribed',
      'skipped deleted',
      'queued',
    ])
    expect(queued).toHaveLength(1)
  })

  test('or at the last moment, when it was suppressed after it was queued', async () => {
    const email = address()
    const { id, queued } = await newSend([email])
    await t.sql(`insert into suppressions (kind, value) values ('address', $1)`, [email])
    const smtp = scripted()
    expect(await deliver(sender(smtp.provider), queued)).toEqual([null])
    expect(smtp.carried).toEqual([])
    expect(await states(id)).toEqual(['skipped suppressed'])
    expect(await content(id)).toBe(false)
  })

  test("nor whom emk-sender's own RECIPIENT_ALLOWLIST leaves out", async () => {
    const { id, queued } = await newSend([address()])
    const smtp = scripted()
    await deliver(sender(smtp.provider, { allowlist: () => false }), queued)
    expect([smtp.carried, await states(id)]).toEqual([[], ['skipped not_in_allowlist']])
  })

  test('while all sending is stopped, by variable or by API, mails wait', async () => {
    const { id, queued } = await newSend([address()])
    const smtp = scripted()
    expect(await deliver(sender(smtp.provider, { sending: false }), queued)).toEqual([300])
    await t.sql('update settings set sending = false')
    expect(await deliver(sender(smtp.provider), queued)).toEqual([300])
    await t.sql('update settings set sending = true')
    expect([smtp.carried, await states(id)]).toEqual([[], ['queued']])
    expect(await deliver(sender(smtp.provider), queued)).toEqual([null])
    expect(await states(id)).toEqual(['sent'])
  })
})

describe('faults', () => {
  test('each answer has its state, and what may be tried again is, until it is given up', async () => {
    const kinds: Outcome[] = [
      { kind: 'later', answer: '451 not now' },
      { kind: 'never', answer: '550 no such user', dead: true },
      { kind: 'never', answer: '550 spam', dead: false },
      { kind: 'stop', answer: '535 wrong password' },
      { kind: 'unknown', answer: 'connection lost' },
    ]
    const emails = kinds.map(address)
    const { id, queued } = await newSend(emails)
    const smtp = scripted((mail) => kinds[emails.indexOf(mail.to.email)] ?? SENT)
    const s = sender(smtp.provider)
    expect(await deliver(s, queued)).toEqual([60, null, null, null, null])
    expect(await states(id)).toEqual([
      'queued try_again',
      'failed no_such_address',
      'failed refused',
      'failed account_refused',
      'unconfirmed no_answer',
    ])
    // Not before it is due, and nothing else with it.
    const [wait] = await deliver(s, queued)
    expect(wait).toBeGreaterThan(50)
    expect(smtp.carried).toHaveLength(5)
    for (let attempt = 0; attempt < 10; attempt++) {
      await age(queued, 100_000)
      await deliver(s, queued)
    }
    expect((await states(id))?.[0]).toBe('failed gave_up')
    expect(smtp.carried).toHaveLength(5 + 6)
    expect(await content(id)).toBe(false)
  })

  test('a sender that dies after its mark leaves the mail unconfirmed: it is not sent again', async () => {
    const { id, queued } = await newSend([address()])
    const dying = scripted(() => Promise.reject(new Error('killed')))
    expect(await deliver(sender(dying.provider), queued)).toEqual([30])
    const smtp = scripted()
    const [wait] = await deliver(sender(smtp.provider), queued)
    expect(wait).toBeGreaterThan(60)
    await age(queued, 121)
    expect(await deliver(sender(smtp.provider), queued)).toEqual([null])
    expect([smtp.carried, await states(id)]).toEqual([[], ['unconfirmed no_answer']])
  })

  test('a mark whose answer is lost is made once more: the mail goes out', async () => {
    const { id, queued } = await newSend([address()])
    const smtp = scripted()
    let marks = 0
    const db: Database = new Proxy(t.db, {
      get(target, key) {
        const value = Reflect.get(target, key)
        if (key !== 'execute') return typeof value === 'function' ? value.bind(target) : value
        return (query: SQL) => {
          const is_mark = JSON.stringify(query.queryChunks).includes('attempts = attempts + ')
          const answer = target.execute(query)
          if (!is_mark || ++marks > 1) return answer
          return answer.then(() => Promise.reject(new Error('answer lost')))
        }
      },
    })
    expect(await deliver(sender(smtp.provider, { db }), queued)).toEqual([null])
    expect([marks, smtp.carried.length, await states(id)]).toEqual([2, 1, ['sent']])
  })

  test('a sender that was slow, not dead, still says that it sent', async () => {
    const { id, queued } = await newSend([address()])
    const slow = scripted(async () => {
      await age(queued, 121)
      await deliver(sender(scripted().provider), queued)
      expect(await states(id)).toEqual(['unconfirmed no_answer'])
      return SENT
    })
    await deliver(sender(slow.provider), queued)
    expect([slow.carried.length, await states(id)]).toEqual([1, ['sent']])
  })

  test('an account that cannot be reached is tried again, one that refuses us is the answer', async () => {
    const away = await newSend([address()])
    const smtp = scripted()
    smtp.refuse({ kind: 'later', answer: 'connection refused' })
    expect(await deliver(sender(smtp.provider), away.queued)).toEqual([60])
    expect((await findTestSend(t.db, away.id))?.mails[0]).toMatchObject({
      state: 'queued',
      reason: 'try_again',
      answer: 'connection refused',
      attempts: 1,
    })
    const shut = await newSend([address()])
    smtp.refuse({ kind: 'stop', answer: '535 wrong password' })
    expect(await deliver(sender(smtp.provider), shut.queued)).toEqual([null])
    expect(await states(shut.id)).toEqual(['failed account_refused'])
  })

  test('an account that nobody configured is the answer; mails of other accounts go out beside it', async () => {
    const bad = await newSend([address()], 'missing')
    const good = await newSend([address()])
    const smtp = scripted()
    expect(await deliver(sender(smtp.provider), [...bad.queued, ...good.queued])).toEqual([null, null])
    expect((await findTestSend(t.db, bad.id))?.mails[0]).toMatchObject({
      state: 'failed',
      reason: 'no_account',
      answer: 'No sending account named "missing" may send for this sender.',
    })
    expect(await states(good.id)).toEqual(['sent'])
  })

  test('without a connection the mails come back soon, unmarked', async () => {
    const { id, queued } = await newSend([address()])
    const smtp = scripted()
    let clock = Date.now()
    const busy = sender(smtp.provider, {
      gate: () => openGate({ take: () => FULL }),
      now: () => new Date(clock),
      sleep: async (ms) => {
        clock += ms
      },
    })
    expect(await deliver(busy, queued)).toEqual([5])
    expect([smtp.carried, await states(id)]).toEqual([[], ['queued']])
  })

  test('pointers to nothing are taken', async () => {
    expect(await deliver(sender(scripted().provider), [987654])).toEqual([null])
    expect(await deliver(sender(scripted().provider), [])).toEqual([])
  })
})

test('an account of two mails a second gets a large send in groups of two, and waits in between', async () => {
  const { queued } = await newSend(Array.from({ length: 5 }, address))
  const smtp = scripted()
  const slept: number[] = []
  const s = sender(smtp.provider, {
    candidates: () => [{ name: 'main', provider: smtp.provider, limits: { ...UNLIMITED, rate_per_second: 2 } }],
    sleep: async (ms) => slept.push(ms),
  })
  await deliver(s, queued)
  expect([smtp.carried.length, slept]).toEqual([5, [1000, 1000]])
})

test('lost pointers are found once, a while after they were due; old sends are forgotten', async () => {
  await t.sql('delete from transactional_sends')
  const { id, queued } = await newSend([address(), address()])
  expect(await overdueMails(t.db)).toEqual([])
  await age(queued, 901)
  expect((await overdueMails(t.db)).sort()).toEqual([...queued].sort())
  expect(await overdueMails(t.db)).toEqual([])
  const smtp = scripted()
  await deliver(sender(smtp.provider), queued)
  expect(smtp.carried).toHaveLength(2)
  expect(await forgetSends(t.db)).toBe(0)
  await t.sql(`update transactional_sends set created_at = now() - interval '31 days' where id = $1`, [id])
  expect(await forgetSends(t.db)).toBe(1)
  expect(await t.sql('select count(*)::int as n from transactional_mails')).toEqual([{ n: 0 }])
})
