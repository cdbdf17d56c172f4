// Mail as Email Routing hands it over: from the raw mail to the rows in Postgres and the opt-outs in Redis.
import { env } from 'cloudflare:workers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import { type MailPurpose, mailTokenAddress, signMailToken } from '../../src/tokens/mail-token.ts'
import { NOBODY } from '../../src/tokens/nobody.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import standard from '../../workers/sender.ts'
import { frozenCampaign } from '../support/campaign.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import complaint from '../unit/feedback/dsn/arf-abuse.eml?raw'
import foreign_copy from '../unit/feedback/dsn/copy-claims-another-mail.eml?raw'
import silent_daemon from '../unit/feedback/dsn/daemon-says-nothing.eml?raw'
import unrouteable from '../unit/feedback/dsn/exim-plain-unrouteable.eml?raw'
import unauthenticated from '../unit/feedback/dsn/gmail-unauthenticated.eml?raw'
import full from '../unit/feedback/dsn/postfix-mailbox-full.eml?raw'
import delivered from '../unit/feedback/dsn/postfix-success.eml?raw'
import unknown_user from '../unit/feedback/dsn/postfix-unknown-user.eml?raw'
import vacation from '../unit/feedback/dsn/vacation-sieve.eml?raw'

const DOMAIN = 'bounce.example.com'
const OLD_SECRET = 'b2xkLWtleS1vbGQta2V5LW9sZC1rZXktb2xkLWtleSE'
const KEYS = `${DEVELOPMENT_SIGNING_KEYS},9:redirect-only:${OLD_SECRET}`
const keys = await parseSigningKeys(KEYS)
const addressOf = async (purpose: MailPurpose, campaign_id: number, subscriber_id: number, with_keys = keys) =>
  mailTokenAddress(purpose, await signMailToken(with_keys, purpose, campaign_id, subscriber_id), DOMAIN)

let t: TestWorker
const lines: string[] = []
beforeAll(async () => {
  t = await openTestWorker({ SIGNING_KEYS: KEYS })
})
beforeEach(() => {
  lines.length = 0
  vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)))
})
afterEach(() => {
  vi.restoreAllMocks()
  // No addresses, and nothing that anybody wrote to us.
  for (const line of lines) expect(line).not.toMatch(/@|example|550/)
})
afterAll(() => t.close())

interface Delivery {
  from?: string
  worker?: typeof standard
  settings?: Partial<SenderEnv>
}

/** Delivers a mail as the platform does. @returns why it was refused, null if it was taken, and how much of it was read */
async function deliver(to: string, text: string, { from = '', worker = standard, settings = {} }: Delivery = {}) {
  const bytes = new TextEncoder().encode(text.replaceAll('\n', '\r\n'))
  let given = 0
  const raw = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = bytes.subarray(given, given + 64 * 1024)
      given += chunk.length
      if (chunk.length > 0) controller.enqueue(chunk)
      else controller.close()
    },
  })
  const headers = new Headers()
  for (const line of (text.split('\n\n')[0] ?? '').replace(/\n[ \t]+/g, ' ').split('\n')) {
    const [, name, value] = /^([\w-]+):\s*([\x20-\x7e]*)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) headers.append(name, value)
  }
  const refused: string[] = []
  const no = () => Promise.reject(new Error('a mail was answered with a mail'))
  const message = {
    ...{ from, to, headers, raw, rawSize: bytes.length },
    ...{ setReject: (reason: string) => void refused.push(reason), forward: no, reply: no },
  }
  await worker.email(message, { ...env, ...settings } as SenderEnv)
  return { refused: refused[0] ?? null, given }
}

/** A campaign of one mail that was sent. */
async function sentMail(state = 'sent') {
  const { campaign_id, list_id, subscriber_ids } = await frozenCampaign(t, 1)
  const subscriber_id = subscriber_ids[0] ?? 0
  await t.sql(
    `update deliveries set state = $2, reason = case $2 when 'unconfirmed' then 'no_answer' end, attempts = 1,
       lease_token = gen_random_uuid(), group_no = 0, sent_at = now() where campaign_id = $1`,
    [campaign_id, state],
  )
  await t.sql(`update batches set ${state} = open, open = 0 where campaign_id = $1`, [campaign_id])
  return { campaign_id, list_id, subscriber_id, to: await addressOf('bounce', campaign_id, subscriber_id) }
}

const eventsOf = (campaign_id: number) =>
  t.sql('select kind, source, matched, diagnostic from feedback_events where campaign_id = $1 order by kind', [
    campaign_id,
  ])

async function standing({ campaign_id, subscriber_id }: { campaign_id: number; subscriber_id: number }) {
  const [row] = await t.sql(
    `select s.status, d.state, m.status as membership,
       (select x.reason from suppressions x where x.value = lower(s.email)) as suppressed
     from subscribers s join deliveries d on d.subscriber_id = s.id join list_members m on m.subscriber_id = s.id
     where s.id = $2 and d.campaign_id = $1`,
    [campaign_id, subscriber_id],
  )
  return row
}

const countOf = async () => (await t.sql('select count(*)::int as n from feedback_events'))[0]?.n
const ACTIVE = { status: 'active', state: 'sent', membership: 'subscribed', suppressed: null }

describe('a bounce', () => {
  test.each([
    ['hard_bounce', unknown_user, { status: 'bounced', suppressed: 'bounce' }],
    ['hard_bounce', unrouteable, { status: 'bounced', suppressed: 'bounce' }],
    ['soft_bounce', full, {}],
    ['blocked', unauthenticated, {}],
    ['delivered', delivered, {}],
    ['complaint', complaint, { status: 'complained', suppressed: 'complaint', membership: 'unsubscribed' }],
  ])('%s', async (kind, text, then) => {
    const mail = await sentMail()
    expect(await deliver(mail.to, text)).toMatchObject({ refused: null })
    const events = await eventsOf(mail.campaign_id)
    expect(events).toMatchObject([{ kind, source: 'mail', matched: true }])
    expect(events[0]?.diagnostic).not.toContain('@example')
    expect(await standing(mail)).toEqual({ ...ACTIVE, ...then })
  })

  test('is about the subscriber it was sent to, whomever it and what is attached to it name', async () => {
    const mail = await sentMail()
    await deliver(mail.to, foreign_copy)
    expect(await standing(mail)).toMatchObject({ status: 'bounced', suppressed: 'bounce' })
    const [raw] = await t.sql('select raw from feedback_events where campaign_id = $1', [mail.campaign_id])
    expect(raw?.raw).toContain('Final-Recipient: rfc822; bob@example.net')
    expect(await t.sql(`select 1 from suppressions where value like '%@example.net'`)).toEqual([])
  })

  test('is one, however often and over whichever way it is delivered', async () => {
    const mail = await sentMail()
    await deliver(mail.to, full)
    await deliver(mail.to.toUpperCase(), `Received: from elsewhere.example by mx.cloudflare.example;\n\tlater\n${full}`)
    expect(await eventsOf(mail.campaign_id)).toHaveLength(1)
    await deliver(mail.to, full.replace(/Message-ID: <.*>/, 'Message-ID: <another@mx.example.net>'))
    expect(await eventsOf(mail.campaign_id)).toHaveLength(2)
  })

  test('proves that a mail without an answer had left', async () => {
    const mail = await sentMail('unconfirmed')
    await deliver(mail.to, full)
    expect(await standing(mail)).toMatchObject({ state: 'sent' })
  })

  test('of 10 MB is read to its first million bytes', async () => {
    const mail = await sentMail()
    const { given } = await deliver(mail.to, unknown_user.replace('Hello Bob,', 'x'.repeat(10_000_000)))
    expect(given).toBeLessThan(1_200_000)
    expect(await standing(mail)).toMatchObject({ status: 'bounced' })
  })

  test.each([
    ['an absence', vacation, 'reply'],
    ['a notice that nobody understands', silent_daemon, 'unclear'],
    ['nothing', '', 'unclear'],
    ['NULs', '\0'.repeat(1000), 'unclear'],
    ['100,000 headers', 'X: y\n'.repeat(100_000), 'unclear'],
  ])('is not what %s is', async (_name, text, reason) => {
    const mail = await sentMail()
    expect(await deliver(mail.to, text)).toMatchObject({ refused: null })
    expect(await eventsOf(mail.campaign_id)).toEqual([])
    expect(await standing(mail)).toEqual(ACTIVE)
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ event: 'bounce_dropped', reason }])
  })

  test('with NULs in its words is recorded without them', async () => {
    const mail = await sentMail()
    await deliver(mail.to, full.replace('Quota exceeded', 'Quota\0exceeded'))
    expect(await eventsOf(mail.campaign_id)).toMatchObject([{ kind: 'soft_bounce' }])
  })

  test('that Postgres cannot take is delivered again, and says nothing of itself', async () => {
    const mail = await sentMail()
    vi.resetModules()
    const { default: worker } = await import('../../workers/sender.ts')
    const settings = { DATABASE_URL: 'postgres://emk:emk@127.0.0.1:1/missing' }
    await expect(deliver(mail.to, unknown_user, { worker, settings })).rejects.toThrow(
      /^The mail cannot be taken now\.$/,
    )
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(['mail_put_off'])
    await deliver(mail.to, unknown_user)
    expect(await standing(mail)).toMatchObject({ status: 'bounced' })
  })
})

describe('a bounce that we did not ask for', () => {
  const other = parseSigningKeys('1:signing:YW5vdGhlci1pbnN0YWxsYXRpb24tYW5vdGhlci1rZXkh')
  const retired = parseSigningKeys(`9:signing:${OLD_SECRET}`)
  test.each<[string, (campaign_id: number, subscriber_id: number) => Promise<string> | string]>([
    ['has no token', () => `b.@${DOMAIN}`],
    ['has a token that is none', () => `b.hello@${DOMAIN}`],
    [
      'has a changed token',
      async (c, s) => (await addressOf('bounce', c, s)).replace(/.@/, (last) => (last === 'a@' ? 'b@' : 'a@')),
    ],
    ['has another installation’s token', async (c, s) => addressOf('bounce', c, s, await other)],
    ['has a token of a key that is no longer trusted', async (c, s) => addressOf('bounce', c, s, await retired)],
    [
      'has a token that unsubscribes',
      async (c, s) => `b.${await signMailToken(keys, 'unsubscribe-mail', c, s)}@${DOMAIN}`,
    ],
    ['has a token of a link', async (c, s) => `b.${await signRecipient(keys, 'unsubscribe', c, s)}@${DOMAIN}`],
    ['is of a test mail', (c) => addressOf('bounce', c, NOBODY)],
  ])('%s: nothing of it is read, and nothing follows', async (_name, forge) => {
    const mail = await sentMail()
    const before = await countOf()
    const to = await forge(mail.campaign_id, mail.subscriber_id)
    const { refused, given } = await deliver(to, unknown_user)
    expect(refused).toBeNull()
    // A stream without a reader holds one piece ready.
    expect(given).toBeLessThan(100_000)
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(['bounce_dropped'])
    expect(await standing(mail)).toEqual(ACTIVE)
    expect(await countOf()).toBe(before)
  })

  test('names a campaign that never was: it is kept, and nothing follows', async () => {
    await deliver(await addressOf('bounce', 4_000_000, 4_000_000), unknown_user)
    expect(await eventsOf(4_000_000)).toMatchObject([{ kind: 'hard_bounce', matched: false }])
  })
})

const LEAVE = 'From: Bob <bob@example.net>\nTo: us\nSubject: unsubscribe\n\nplease\n'
const PERSON = { from: 'bob@example.net' }
const redisOf = async (subscriber_id: number) => ({
  events: (await Promise.all(t.keys.event_shards.map((list) => t.redis.lrange(list, 0, -1))))
    .flat()
    .map((line) => JSON.parse(String(line)))
    .filter((event) => event.subscriber_id === subscriber_id),
  optout: await t.redis.zscore(t.keys.optouts, String(subscriber_id)),
})

describe('a mail to the unsubscribe address', () => {
  test('leaves the campaign’s lists, as the link does', async () => {
    const { campaign_id, subscriber_id } = await sentMail()
    expect(await deliver(await addressOf('unsubscribe-mail', campaign_id, subscriber_id), LEAVE, PERSON)).toMatchObject(
      { refused: null },
    )
    const { events, optout } = await redisOf(subscriber_id)
    expect(events).toMatchObject([
      { kind: 'unsubscribe', campaign_id, subscriber_id, link: 0, scope: 'lists', country: null },
    ])
    expect(Number(optout)).toBe(Date.parse(events[0]?.occurred_at))
  })

  test('without Redis it is in Postgres at once', async () => {
    const mail = await sentMail()
    vi.resetModules()
    const { default: worker } = await import('../../workers/sender.ts')
    const settings = { UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1' }
    const to = await addressOf('unsubscribe-mail', mail.campaign_id, mail.subscriber_id)
    await deliver(to, LEAVE, { ...PERSON, worker, settings })
    expect(await standing(mail)).toMatchObject({ membership: 'unsubscribed', status: 'active' })
  })

  test('without both it comes again: nobody is told that it was done', async () => {
    vi.resetModules()
    const { default: worker } = await import('../../workers/sender.ts')
    const settings = {
      UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1',
      DATABASE_URL: 'postgres://emk:emk@127.0.0.1:1/missing',
    }
    const to = await addressOf('unsubscribe-mail', 5, 6)
    await expect(deliver(to, LEAVE, { ...PERSON, worker, settings })).rejects.toThrow('cannot be taken now')
  })

  test.each([
    ['a bounce', LEAVE, ''],
    ['a bounce, as SMTP writes it', LEAVE, '<>'],
    ['an absence', `Auto-Submitted: auto-replied\n${LEAVE}`, PERSON.from],
    ['an old absence', `Precedence: bulk\n${LEAVE}`, PERSON.from],
    ['an answering machine', `X-Autoreply: yes\n${LEAVE}`, PERSON.from],
    [
      'a receipt',
      `Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n${LEAVE}`,
      PERSON.from,
    ],
  ])('from %s unsubscribes nobody', async (_name, text, from) => {
    const { campaign_id, subscriber_id } = await sentMail()
    expect(
      await deliver(await addressOf('unsubscribe-mail', campaign_id, subscriber_id), text, { from }),
    ).toMatchObject({ refused: null })
    expect(await redisOf(subscriber_id)).toEqual({ events: [], optout: null })
  })

  test('from a program on a person’s word does', async () => {
    const { campaign_id, subscriber_id } = await sentMail()
    const text = `Auto-Submitted: auto-generated\n${LEAVE}`
    await deliver(await addressOf('unsubscribe-mail', campaign_id, subscriber_id), text, PERSON)
    expect((await redisOf(subscriber_id)).events).toHaveLength(1)
  })

  test('of a test mail unsubscribes nobody', async () => {
    expect(await deliver(await addressOf('unsubscribe-mail', 5, NOBODY), LEAVE, PERSON)).toMatchObject({
      refused: null,
    })
    expect(await redisOf(NOBODY)).toEqual({ events: [], optout: null })
  })

  test('with a token that is not for it is refused, so that nobody believes to have left', async () => {
    const { campaign_id, subscriber_id } = await sentMail()
    for (const token of ['', 'me', await signMailToken(keys, 'bounce', campaign_id, subscriber_id)]) {
      const { refused } = await deliver(`unsubscribe+${token}@${DOMAIN}`, LEAVE, PERSON)
      expect(refused).toContain('use the unsubscribe link')
    }
    expect(await redisOf(subscriber_id)).toEqual({ events: [], optout: null })
  })

  test('signed by a retired key still counts', async () => {
    const { campaign_id, subscriber_id } = await sentMail()
    const retired = await parseSigningKeys(`9:signing:${OLD_SECRET}`)
    await deliver(await addressOf('unsubscribe-mail', campaign_id, subscriber_id, retired), LEAVE, PERSON)
    expect((await redisOf(subscriber_id)).events).toHaveLength(1)
  })
})

test.each(['postmaster', 'unsubscribe', 'news', 'b', '', '"b.a b"'])('mail to %s@ is refused', async (local_part) => {
  const { refused, given } = await deliver(`${local_part}@${DOMAIN}`, LEAVE, PERSON)
  expect(refused).toContain('takes no mail')
  expect(given).toBeLessThan(100_000)
})
