// What becomes of sign-ups after the answer, and who confirms what, in real SQL and Redis.

import { Hono } from 'hono'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connectDatabase, type Database } from '../../src/db/client.ts'
import { claimBatch } from '../../src/ledger/claim.ts'
import { deleteList } from '../../src/lists/delete.ts'
import { leaveList } from '../../src/lists/leave.ts'
import { readPreferences } from '../../src/preferences/state.ts'
import { connectRedis } from '../../src/redis/client.ts'
import { confirmSignup } from '../../src/signup/confirm.ts'
import { confirmPages } from '../../src/signup/confirm-page.ts'
import { signupFormPages } from '../../src/signup/form-page.ts'
import { forgetSignups, healSignups } from '../../src/signup/heal.ts'
import { countSignup, networkOf } from '../../src/signup/limits.ts'
import { receiveSignup } from '../../src/signup/receive.ts'
import { settleSignup } from '../../src/signup/settle.ts'
import { deleteSubscriber } from '../../src/subscribers/delete.ts'
import { writeSubscribers } from '../../src/subscribers/write.ts'
import { signTimed } from '../../src/tokens/timed.ts'
import { seedCampaign } from '../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { cronOf } from '../support/minute.ts'
import { openTestRedis, redisEngines, type TestRedis } from '../support/redis.ts'
import { openSession } from './ledger/session.ts'

const HASH_KEY = 'hash key of the sign-up test, long enough'

let t: TestDatabase
let r: TestRedis
let s: Awaited<ReturnType<typeof cronOf>>
const queued: number[] = []
/** Lists by how one joins them. */
const lists = { double: 0, single: 0, other_single: 0 }
beforeAll(async () => {
  t = await openTestDatabase()
  r = openTestRedis()
  s = {
    ...(await cronOf({ db: t.db, redis: r.redis, redis_keys: r.keys })),
    hash_key: HASH_KEY,
    transactional: {
      sendBatch: async (messages) => {
        for (const { body } of messages) queued.push(body.mail_id)
      },
    },
  }
  await t.sql(`insert into senders (name, from_name, from_email, postal_address)
    values ('house', 'Acme', 'house@acme.example', 'Acme, 1 Main Street')`)
  await t.sql('update settings set sender_id = 1')
  for (const name of Object.keys(lists) as (keyof typeof lists)[]) lists[name] = await newList(name)
})
afterAll(async () => {
  await r.close()
  await t.close()
})

async function newList(name: string, opt_in = name.endsWith('single') ? 'single' : 'double') {
  const [row] = await t.sql<{ id: number }>(
    `insert into mailing_lists (name, opt_in, visibility, consent_wording) values ($1, $2, 'public', $3) returning id::float8`,
    [name, opt_in, `Yes to ${name}`],
  )
  return row?.id ?? 0
}

let count = 0
let email = ''
beforeEach(() => {
  email = `Person-${++count}@example.com`
})

/** Writes a sign-up down. @returns its id */
async function receive(
  list_ids: number[],
  more: { first_name?: string; last_name?: string; locale?: string } = {},
): Promise<number> {
  const fields = { first_name: null, last_name: null, locale: null, source: 'https://acme.example/', country: 'DE' }
  const received = await receiveSignup(t.db, { email, list_ids, ...fields, ...more })
  if (!received) throw new Error('it was not received')
  return received.id
}
async function signUp(list_ids: number[], more = {}) {
  const id = await receive(list_ids, more)
  await settleSignup(s, id)
  return { id, ...(await signup(id)) }
}
const signup = async (id: number) =>
  (
    await t.sql<{ status: string; reason: string | null; mails: number }>(
      'select status, reason, mails from signups where id = $1',
      [id],
    )
  )[0]
const subjects = async () =>
  (
    await t.sql<{ subject: string }>(
      `select s.content ->> 'subject' as subject from transactional_mails m join transactional_sends s on s.id = m.send_id
      where lower(m.email) = lower($1) and m.state = 'queued' order by m.id`,
      [email],
    )
  ).map(({ subject }) => subject)
const person = async () =>
  (
    await t.sql<{ id: number; status: string; first_name: string | null; last_name: string | null; lists: string[] }>(
      `select s.id::float8, s.status, s.first_name, s.last_name, s.locale,
      array(select m.list_id || ' ' || m.status from list_members m where m.subscriber_id = s.id order by m.list_id) as lists
      from subscribers s where lower(s.email) = lower($1)`,
      [email],
    )
  )[0]
const consentsOf = (id: number) =>
  t.sql(
    `select action, list_id::float8, source, wording, country from consents where subscriber_id = $1
      order by occurred_at, list_id nulls last`,
    [id],
  )

/** Somebody who is on lists already. */
async function known(list_ids: number[], fields: object = {}) {
  const [answer] = await writeSubscribers(t.db, HASH_KEY, 'upsert', [{ email, list_ids, ...fields }])
  return answer?.id ?? 0
}

const suppress = (kind: string, value: string, reason: string) =>
  t.sql('insert into suppressions (kind, value, reason) values ($1, $2, $3)', [kind, value, reason])

/** Everything that may stand behind an address, and what it takes to sign it up. */
const PASTS: [name: string, make: () => Promise<unknown>][] = [
  ['nobody', async () => undefined],
  ['a subscriber', () => known([])],
  ['a member', () => known([lists.single])],
  ['who left the list', async () => leaveList(t.db, lists.single, await known([lists.single]))],
  ['who left everything', () => known([lists.single], { status: 'unsubscribed' })],
  ['who bounced', () => known([lists.single], { status: 'bounced' })],
  ['who complained', () => known([], { status: 'complained' })],
  ['who was deleted', async () => deleteSubscriber(t.db, HASH_KEY, await known([lists.single]))],
  ['who is suppressed', () => suppress('address', email.toLowerCase(), 'manual')],
]

describe('single opt-in', () => {
  test.each([
    ['nobody', 'subscribed', null, []],
    ['a subscriber', 'subscribed', null, []],
    ['a member', 'subscribed', 'already_subscribed', ['You are subscribed to single already']],
    ['who left the list', 'mailed', null, ['Please confirm your subscription to single']],
    ['who left everything', 'mailed', null, ['Please confirm your subscription to single']],
    ['who bounced', 'refused', 'bounced', []],
    ['who complained', 'refused', 'complained', []],
    ['who was deleted', 'mailed', null, ['Please confirm your subscription to single']],
    ['who is suppressed', 'refused', 'suppressed', []],
  ])('%s: %s', async (past, status, reason, mails) => {
    await PASTS.find(([name]) => name === past)?.[1]()
    const before = await person()
    expect(await signUp([lists.single])).toMatchObject({ status, reason })
    expect(await subjects()).toEqual(mails)
    if (status === 'subscribed')
      expect(await person()).toMatchObject({ status: 'active', lists: [`${lists.single} subscribed`] })
    else expect(await person()).toEqual(before)
  })

  test('keeps the consent, word for word, and never what is stored', async () => {
    const id = await known([], { first_name: 'Ada', consented_at: '2026-01-01T00:00:00Z', consent_source: 'shop' })
    await signUp([lists.single], { first_name: 'Buy pills', last_name: 'Lovelace' })
    expect(await person()).toMatchObject({ first_name: 'Ada', last_name: 'Lovelace' })
    expect((await consentsOf(id)).at(-1)).toEqual({
      action: 'subscribed',
      list_id: lists.single,
      source: 'https://acme.example/',
      wording: 'Yes to single',
      country: 'DE',
    })
  })

  test('what a form says of its page never passes for an opt-out that is known already', async () => {
    const fields = { first_name: null, last_name: null, locale: null, country: null }
    const source = 'unsubscribe link, campaign 1'
    const received = await receiveSignup(t.db, { email, list_ids: [lists.single], ...fields, source })
    await settleSignup(s, received?.id ?? 0)
    const { id = 0 } = (await person()) ?? {}
    expect(await consentsOf(id)).toMatchObject([{ action: 'subscribed', source }])
    expect(await readPreferences(t.db, id)).toMatchObject({ known_optout_at: 0 })
    const { campaign_id } = await seedCampaign(t, 0)
    await t.sql(`update campaigns set audience = audience || $2 where id = $1`, [
      campaign_id,
      JSON.stringify({ include: [lists.single] }),
    ])
    await t.sql('insert into batches (campaign_id, n, size, open, due_at) values ($1, 0, 1, 1, now())', [campaign_id])
    await t.sql('insert into deliveries (campaign_id, subscriber_id, batch) values ($1, $2, 0)', [campaign_id, id])
    const claim = await claimBatch(t.db, { campaign_id, batch: 0, token: crypto.randomUUID(), lease_seconds: 60 })
    expect(claim).toMatchObject({ claimed: true, rows: [{ subscriber_id: id, skip: null, known_optout_at: 0 }] })
  })

  test('settled once more, because the first time could not say so, it tells nobody anything', async () => {
    const { id } = await signUp([lists.single])
    await t.sql(`update signups set status = 'received' where id = $1`, [id])
    await settleSignup(s, id)
    expect(await signup(id)).toMatchObject({ status: 'subscribed', reason: null })
    expect(await subjects()).toEqual([])
    expect(await consentsOf((await person())?.id ?? 0)).toHaveLength(1)
  })

  test('of several lists one that wants confirmation decides, and only what is missing counts as done', async () => {
    await known([lists.single])
    expect(await signUp([lists.single, lists.double])).toMatchObject({ status: 'mailed' })
    expect(await person()).toMatchObject({ lists: [`${lists.single} subscribed`] })
    expect(await signUp([lists.single, lists.other_single])).toMatchObject({ status: 'subscribed', reason: null })
    expect((await person())?.lists).toHaveLength(2)
  })
})

describe('an answer tells nobody who is known', () => {
  /** Counts what the database is asked before the answer. */
  function counting(db: Database) {
    let statements = 0
    const counted = new Proxy(db, {
      get(target, key, self) {
        if (['execute', 'select', 'insert', 'update', 'delete', 'batch'].includes(String(key))) statements++
        return Reflect.get(target, key, self)
      },
    })
    return { db: counted, statements: () => statements }
  }

  test.each(['single', 'double'] as const)(
    '%s opt-in: the same page, JSON and number of statements',
    async (opt_in) => {
      const seen: unknown[] = []
      for (const [name, make] of PASTS) {
        email = `person-${++count}@example.com`
        await make()
        for (const accept of ['text/html', 'application/json']) {
          const { db, statements } = counting(t.db)
          const app = signupFormPages({ ...s, db })
          const later: Promise<unknown>[] = []
          const before = statements()
          let at_answer = 0
          const response = await app.request(
            '/subscribe',
            {
              method: 'POST',
              headers: { accept, 'content-type': 'application/x-www-form-urlencoded' },
              body: new URLSearchParams({ email, list: String(lists[opt_in]) }),
            },
            {},
            {
              waitUntil: (promise: Promise<unknown>) => void later.push(promise),
              passThroughOnException: () => undefined,
              props: {},
            } as Parameters<typeof app.request>[3],
          )
          at_answer = statements() - before
          const body = (await response.text()).replaceAll(email, '<address>')
          expect(response.status, name).toBe(accept === 'text/html' ? 200 : 202)
          const headers = [...response.headers]
          seen.push({ body, headers, status: response.status, at_answer })
          await Promise.all(later)
          expect(statements() - before, `${name} is looked up after the answer`).toBeGreaterThan(at_answer)
        }
      }
      const distinct = new Set(seen.map((answer) => JSON.stringify(answer)))
      expect([...distinct], JSON.stringify([...distinct], null, 1)).toHaveLength(2)
    },
  )
})

describe('mails', () => {
  test('an address gets three in 24 hours, however many ask at once', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => receive([lists.double])))
    // All have come to the point of taking a mail before the first may.
    const other = await openSession(t)
    await other.query('select 1 from signups where id = any($1) for update', [ids])
    const settling = ids.map((id) => settleSignup(s, id))
    await other.waiting(ids.length)
    await other.end()
    await Promise.all(settling)
    expect(await subjects()).toHaveLength(3)
    const rows = await Promise.all(ids.map(signup))
    expect(rows.filter((row) => row?.status === 'mailed')).toHaveLength(3)
    expect(rows.filter((row) => row?.reason === 'mail_limit')).toHaveLength(3)
    await t.sql(`update signups set mailed_at = now() - interval '25 hours' where email = $1`, [email])
    expect(await signUp([lists.double])).toMatchObject({ status: 'mailed' })
  })

  test('who is subscribed already is told so once in 24 hours', async () => {
    await known([lists.double])
    const ids = await Promise.all(Array.from({ length: 4 }, () => receive([lists.double])))
    await Promise.all(ids.map((id) => settleSignup(s, id)))
    expect(await subjects()).toEqual(['You are subscribed to double already'])
    expect((await Promise.all(ids.map(signup))).map((row) => row?.status)).toEqual(Array(4).fill('subscribed'))
  })

  test('one sign-up settled twice at once, and again, sends one mail', async () => {
    const id = await receive([lists.double])
    await Promise.all([settleSignup(s, id), settleSignup(s, id), settleSignup(s, id)])
    await settleSignup(s, id)
    expect(await subjects()).toHaveLength(1)
  })

  test('without a sender nobody is asked; single opt-in goes on', async () => {
    await t.sql('update settings set sender_id = null')
    try {
      expect(await signUp([lists.double])).toMatchObject({ status: 'refused', reason: 'no_sender' })
      expect(await signUp([lists.single])).toMatchObject({ status: 'subscribed' })
    } finally {
      await t.sql('update settings set sender_id = 1')
    }
  })

  test('outside of the allowlist nobody is asked', async () => {
    const id = await receive([lists.double])
    await settleSignup({ ...s, recipient_allowlist: '@acme.example' }, id)
    expect(await signup(id)).toMatchObject({ status: 'refused', reason: 'not_in_allowlist' })
  })

  test('a mail that the queue did not take goes out by cron', async () => {
    const id = await receive([lists.double])
    const failing = { ...s, transactional: { sendBatch: async () => Promise.reject(new Error('queue')) } }
    await expect(settleSignup(failing, id)).rejects.toThrow('queue')
    expect(await signup(id)).toMatchObject({ status: 'received' })
    await healSignups(s, Number.POSITIVE_INFINITY)
    expect(await subjects(), 'not before a minute has gone by').toEqual([])
    await t.sql(
      `update signups set created_at = now() - interval '2 minutes', mailed_at = now() - interval '2 minutes' where id = $1`,
      [id],
    )
    await healSignups(s, Number.POSITIVE_INFINITY)
    expect(await subjects()).toHaveLength(1)
    expect(await signup(id)).toMatchObject({ status: 'mailed', mails: 2 })
  })

  test('cron settles what was left lying, and one that fails holds up no other', async () => {
    const ids = [await receive([lists.double]), await receive([lists.single])]
    await t.sql(`update signups set created_at = now() - interval '2 minutes' where id = any($1)`, [ids])
    const failing = { ...s, transactional: { sendBatch: async () => Promise.reject(new Error('queue')) } }
    await healSignups(failing, s.now().getTime() - 1)
    expect(await person(), 'its time is over').toBeUndefined()
    await healSignups(failing, Number.POSITIVE_INFINITY)
    expect(await Promise.all(ids.map(signup))).toMatchObject([{ status: 'received' }, { status: 'subscribed' }])
    expect(await person()).toMatchObject({ lists: [`${lists.single} subscribed`] })
  })
})

describe('confirming', () => {
  test.each(PASTS.filter(([name]) => !/bounced|complained|suppressed/.test(name)))(
    'brings %s onto the list',
    async (_, make) => {
      await make()
      const { id, status } = await signUp([lists.double], { first_name: 'Ada' })
      expect(status).toBe('mailed')
      expect(await confirmSignup(s, id, 'AT')).toMatchObject({ outcome: 'confirmed', lists: [{ name: 'double' }] })
      const now = await person()
      expect(now).toMatchObject({ status: 'active', first_name: 'Ada' })
      expect(now?.lists).toContain(`${lists.double} subscribed`)
      expect((await consentsOf(now?.id ?? 0)).at(-1)).toMatchObject({
        action: 'resubscribed',
        wording: 'Yes to double',
        country: 'AT',
        source: 'https://acme.example/',
      })
      expect(await signup(id)).toMatchObject({ status: 'confirmed' })
    },
  )

  test('what nobody was asked to confirm cannot be confirmed', async () => {
    const waiting = await receive([lists.double])
    expect(await confirmSignup(s, waiting, null)).toMatchObject({ outcome: 'unknown' })
    await suppress('address', email.toLowerCase(), 'manual')
    await settleSignup(s, waiting)
    expect(await confirmSignup(s, waiting, null)).toMatchObject({ outcome: 'unknown' })
    expect(await confirmSignup(s, 987_654, null)).toMatchObject({ outcome: 'unknown' })
    expect(await person()).toBeUndefined()
  })

  test('twice at once is one consent', async () => {
    const { id } = await signUp([lists.double])
    const answers = await Promise.all(Array.from({ length: 5 }, () => confirmSignup(s, id, null)))
    expect(answers.filter(({ outcome }) => outcome === 'confirmed').length).toBeGreaterThan(0)
    expect(answers.every(({ outcome }) => outcome.startsWith('confirmed'))).toBe(true)
    const now = await person()
    expect(await consentsOf(now?.id ?? 0)).toHaveLength(2)
  })

  test('an opt-out after it stays, whether the press is repeated or its answer was lost', async () => {
    const { id } = await signUp([lists.double])
    await confirmSignup(s, id, null)
    const subscriber = (await person())?.id ?? 0
    await leaveList(t.db, lists.double, subscriber)
    expect(await confirmSignup(s, id, null)).toMatchObject({ outcome: 'confirmed_before' })
    expect(await person()).toMatchObject({ lists: [`${lists.double} unsubscribed`] })
    // As if it had died before it could say that it was done.
    await t.sql(`update signups set status = 'mailed' where id = $1`, [id])
    expect(await confirmSignup(s, id, null)).toMatchObject({ outcome: 'confirmed_before' })
    expect(await person()).toMatchObject({ lists: [`${lists.double} unsubscribed`] })
    expect(await signup(id)).toMatchObject({ status: 'confirmed' })
  })

  test('an opt-out before it is overruled: that is what it is for', async () => {
    const subscriber = await known([lists.double])
    await leaveList(t.db, lists.double, subscriber)
    const { id } = await signUp([lists.double])
    expect(await confirmSignup(s, id, null)).toMatchObject({ outcome: 'confirmed' })
    expect(await person()).toMatchObject({ lists: [`${lists.double} subscribed`] })
  })

  test('who left everything comes back to these lists, not to those they were on', async () => {
    const subscriber = await known([lists.single, lists.other_single, lists.double])
    await known([], { status: 'unsubscribed' })
    const { id } = await signUp([lists.double])
    expect(await confirmSignup(s, id, 'AT')).toMatchObject({ outcome: 'confirmed' })
    const others = [lists.single, lists.other_single]
    expect(await person()).toMatchObject({ status: 'active' })
    expect(
      await t.sql(
        `select list_id::float8, status from list_members where subscriber_id = $1 and status = 'subscribed'`,
        [subscriber],
      ),
    ).toEqual([{ list_id: lists.double, status: 'subscribed' }])
    expect(
      await t.sql(
        `select list_id::float8, country from consents
         where subscriber_id = $1 and action = 'unsubscribed' and list_id is not null order by list_id`,
        [subscriber],
      ),
    ).toEqual(others.sort((a, b) => a - b).map((list_id) => ({ list_id, country: 'AT' })))
    // Whoever is there already leaves nothing by it.
    const next = await signUp([lists.single])
    await confirmSignup(s, next.id, null)
    expect((await person())?.lists).toContain(`${lists.double} subscribed`)
  })

  test('of two sign-ups both can be confirmed, and what the newer says counts', async () => {
    const older = await signUp([lists.double], { first_name: 'Old', last_name: 'Older' })
    const newer = await signUp([lists.double], { first_name: 'New' })
    await confirmSignup(s, newer.id, null)
    await confirmSignup(s, older.id, null)
    expect(await person()).toMatchObject({ first_name: 'New', last_name: 'Older' })
  })

  test('it overwrites what is stored with what was filled in, and erases nothing', async () => {
    await known([], { first_name: 'Ada', last_name: 'Byron', locale: 'pt-BR' })
    const { id } = await signUp([lists.double], { last_name: 'Lovelace', locale: 'en' })
    await confirmSignup(s, id, null)
    expect(await person()).toMatchObject({ first_name: 'Ada', last_name: 'Lovelace', locale: 'pt-BR' })
  })

  test('of lists that were deleted meanwhile the others are left, or none', async () => {
    const [going, staying] = [await newList('going'), await newList('staying')]
    const both = await signUp([going, staying])
    const gone = await signUp([going])
    await deleteList(t.db, going)
    expect(await confirmSignup(s, gone.id, null)).toMatchObject({ outcome: 'lists_deleted' })
    expect(await confirmSignup(s, both.id, null)).toMatchObject({ outcome: 'confirmed', lists: [{ name: 'staying' }] })
  })
})

test('what has expired is forgotten; what was confirmed stays for 30 days', async () => {
  const [expired, confirmed, open] = [
    await signUp([lists.double]),
    await signUp([lists.double]),
    await signUp([lists.double]),
  ]
  await t.sql(`update signups set expires_at = now() - interval '1 minute' where id = $1`, [expired.id])
  await confirmSignup(s, confirmed.id, null)
  await forgetSignups(t.db)
  expect(await Promise.all([expired, confirmed, open].map(({ id }) => signup(id).then((row) => row?.status)))).toEqual([
    undefined,
    'confirmed',
    'mailed',
  ])
  const [row] = await t.sql<{ days: number }>(
    `select round(extract(epoch from expires_at - now()) / 86400)::int as days from signups where id = $1`,
    [confirmed.id],
  )
  expect(row).toEqual({ days: 30 })
})

test('a private list is as if it were not there, alone and among others', async () => {
  const [hidden] = await t.sql<{ id: number }>(
    `insert into mailing_lists (name, consent_wording) values ('hidden', 'Yes') returning id::float8`,
  )
  const fields = { email, first_name: null, last_name: null, locale: null, source: 'x', country: null }
  for (const list_ids of [[hidden?.id ?? 0], [lists.double, hidden?.id ?? 0], [lists.double, 987_654]]) {
    expect(await receiveSignup(t.db, { ...fields, list_ids })).toBeNull()
  }
  expect(await t.sql('select 1 from signups where email = $1', [email])).toEqual([])
})

describe.each(redisEngines())('limits on $engine', (engine) => {
  let own: TestRedis
  beforeAll(() => {
    own = openTestRedis(engine)
  })
  afterAll(() => own.close())
  const services = () => ({ redis: own.redis, redis_keys: own.keys, hash_key: HASH_KEY })

  test('an address may be signed up five times an hour, whoever asks and in whichever case', async () => {
    for (let n = 1; n <= 5; n++) expect(await countSignup(services(), `192.0.2.${n}`, email.toUpperCase())).toBeNull()
    const wait = await countSignup(services(), '192.0.2.99', email)
    expect(wait).toBeGreaterThan(3000)
    expect(wait).toBeLessThanOrEqual(3600)
    expect(await countSignup(services(), '192.0.2.99', `x${email}`)).toBeNull()
  })

  test('a network may sign up thirty addresses in ten minutes', async () => {
    for (let n = 1; n <= 30; n++) expect(await countSignup(services(), `2001:db8:0:7::${n}`, `${n}${email}`)).toBeNull()
    expect(await countSignup(services(), '2001:db8:0:7:ffff::1', `31${email}`)).toBeLessThanOrEqual(600)
    expect(await countSignup(services(), '2001:db8:0:8::1', `32${email}`)).toBeNull()
  })

  test('what is kept of who asked is a hash that goes', async () => {
    await countSignup(services(), '198.51.100.77', email)
    const keys = await own.redis.keys(`${own.prefix}*`)
    expect(keys.join()).not.toMatch(/198\.51|person/i)
    for (const key of keys) expect(await own.redis.ttl(key), key).toBeGreaterThan(0)
  })
})

test('while Postgres is away, everybody is told that nothing was saved', async () => {
  const db = connectDatabase('postgres://emk:emk@127.0.0.1:1/missing', t.proxy)
  const app = new Hono().route('/', signupFormPages({ ...s, db })).route('/', confirmPages({ ...s, db }))
  const expires_at = new Date(Date.now() + 60_000)
  const confirm = `/confirm/${await signTimed(s.signing_keys, 'confirm', { id: 1, expires_at })}`
  const headers = { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' }
  for (const [path, init] of [
    ['/subscribe/1', { headers }],
    ['/subscribe', { headers, method: 'POST', body: `email=${email}&list=1` }],
    ['/subscribe', { headers, method: 'POST', body: 'email=wrong&list=1' }],
    [confirm, { headers }],
    [confirm, { headers, method: 'POST' }],
  ] as const) {
    const answer = await app.request(path, init)
    expect([answer.status, await answer.text()], path).toEqual([503, expect.stringContaining('Please try again')])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  }
  const json = await app.request('/subscribe', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, list_ids: [1] }),
  })
  expect([json.status, await json.json()]).toMatchObject([503, { code: 'database_unavailable' }])
})

test('while Redis is away nobody is turned away', async () => {
  const services = { redis: connectRedis('http://127.0.0.1:1', 'none'), redis_keys: r.keys, hash_key: HASH_KEY }
  expect(await countSignup(services, '192.0.2.1', email)).toBeNull()
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:0DB8:0:7::', '2001:db8:0:7'],
  ['::1', '0:0:0:0'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
])('%s is in the network %s', (address, network) => expect(networkOf(address)).toBe(network))
