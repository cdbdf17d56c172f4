import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claimBatch } from '../../src/ledger/claim.ts'
import { freezePage } from '../../src/ledger/freeze.ts'
import { hashEmail } from '../../src/subscribers/erasure.ts'
import type { SubscriberRow } from '../../src/subscribers/row.ts'
import { writeSubscribers } from '../../src/subscribers/write.ts'
import { addSuppressions } from '../../src/suppressions/add.ts'
import { insertSuppressions } from '../../src/suppressions/insert.ts'
import { insertSend } from '../../src/transactional/store.ts'
import type { MailContent } from '../../src/transactional/table.ts'
import { seedCampaign } from '../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

const HASH_KEY = 'a key that is longer than the block of sixty-four bytes which SHA-256 works in'
const CONTENT = { subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' } as unknown as MailContent
let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const someone = () => `Someone.${crypto.randomUUID()}@example.com`
const upsert = async (row: SubscriberRow) => (await writeSubscribers(t.db, HASH_KEY, 'upsert', [row]))[0]
const add = (...rows: unknown[]) => addSuppressions(t.db, HASH_KEY, rows)
const suppressed = (value: string) =>
  t.sql('select kind, reason, source from suppressions where value = $1', [value.toLowerCase()])

describe('a keyed hash', () => {
  test('keeps an address out, in upper case too', async () => {
    const email = someone()
    const hash = await hashEmail(HASH_KEY, email)
    expect(await add({ kind: 'hash', value: hash.toUpperCase() }, { kind: 'hash', value: hash })).toMatchObject([
      { outcome: 'created' },
      { outcome: 'unchanged' },
    ])
    expect(await upsert({ email })).toMatchObject({ outcome: 'refused', refusal: 'deleted_before' })
    expect(await suppressed(hash)).toEqual([{ kind: 'hash', reason: 'deleted', source: null }])
  })

  test.each(['a', HASH_KEY])('suppresses who is a subscriber already (key %s)', async (key) => {
    const [email, other] = [someone(), someone()]
    await upsert({ email })
    await upsert({ email: other })
    const row = { kind: 'hash', value: await hashEmail(key, email), reason: 'complaint', source: 'moved' }
    await addSuppressions(t.db, key, [row])
    expect(await suppressed(email)).toEqual([{ kind: 'address', reason: 'complaint', source: 'moved' }])
    expect(await suppressed(other)).toEqual([])
    expect(await addSuppressions(t.db, key, [row])).toMatchObject([{ outcome: 'unchanged' }])
  })

  test('a person who is being written beside it is kept out or suppressed', async () => {
    const people = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const email = someone()
        return { email, value: await hashEmail(HASH_KEY, email) }
      }),
    )
    await Promise.all(people.flatMap(({ email, value }) => [upsert({ email }), add({ kind: 'hash', value })]))
    const mailable = await t.sql(
      `select s.email from subscribers s where s.email = any($1)
         and not exists (select from suppressions x where x.kind = 'address' and x.value = lower(s.email))`,
      [people.map(({ email }) => email)],
    )
    expect(mailable).toEqual([])
  })

  test.each(['', 'ab', 'g'.repeat(64), 'a'.repeat(63), 'a'.repeat(65), 12, null])(
    'is 64 digits: not %j',
    async (value) => {
      expect(await add({ kind: 'hash', value })).toMatchObject([{ outcome: 'refused', errors: [{ field: 'value' }] }])
    },
  )
})

test('keeps the moment it came with, and none that lies ahead', async () => {
  const [old, ahead] = [someone(), someone()]
  await add(
    { kind: 'address', value: old, created_at: '2020-02-03T04:05:06Z' },
    { kind: 'address', value: ahead, created_at: '2999-01-01T00:00:00Z' },
  )
  const rows = await t.sql<{ at: string; past: boolean }>(
    `select created_at::text as at, created_at <= now() as past from suppressions where value = any($1) order by 1`,
    [[old.toLowerCase(), ahead.toLowerCase()]],
  )
  expect(rows).toMatchObject([{ at: expect.stringContaining('2020-02-03'), past: true }, { past: true }])
})

test('the insert is a part of a larger statement that counts', async () => {
  const value = someone().toLowerCase()
  const rows = JSON.stringify([
    { kind: 'address', value, reason: 'bounce', source: null },
    { kind: 'address', value, reason: 'complaint', source: null },
  ])
  const statement = sql`with added as (${insertSuppressions(rows)}) select count(*)::int as n from added`
  expect((await t.db.execute(statement)).rows).toEqual([{ n: 1 }])
  expect((await t.db.execute(statement)).rows).toEqual([{ n: 0 }])
  expect(await suppressed(value)).toEqual([{ kind: 'address', reason: 'bounce', source: null }])
})

describe('nobody suppressed is mailed', () => {
  const key = crypto.randomUUID()
  const [by_address, by_domain, by_hash, free] = [
    `Anna.${key}@example.com`,
    `ben@${key}.xn--bcher-kva.example`,
    `Cy.${key}@example.com`,
    `dora.${key}@example.com`,
  ] as const
  // A subdomain is another domain.
  const below = `eve@below.${key}.xn--bcher-kva.example`
  const everyone = [by_address, by_domain, by_hash, free, below]
  beforeAll(async () => {
    await add(
      { kind: 'address', value: by_address.toUpperCase(), reason: 'bounce' },
      { kind: 'domain', value: `@${key}.BÜCHER.example` },
    )
  })

  test('by a campaign: the next claim skips them', async () => {
    const seeded = await seedCampaign(t, everyone.length, { email: (i) => everyone[i] ?? '' })
    const { campaign_id, list_id } = seeded
    await freezePage(t.db, campaign_id, 0, { include: [list_id], exclude: [], where: {}, sample: null })
    await add({ kind: 'hash', value: await hashEmail(HASH_KEY, by_hash), reason: 'complaint' })
    const claim = await claimBatch(t.db, { campaign_id, batch: 0, token: crypto.randomUUID(), lease_seconds: 60 })
    const skipped = claim.claimed ? claim.rows.map(({ email, skip }) => [email, skip]) : []
    expect(skipped).toEqual([
      ...[by_address, by_domain, by_hash].map((email) => [email, 'suppressed']),
      ...[free, below].map((email) => [email, null]),
    ])
  })

  test.each(['test', 'confirmation', 'data'] as const)('by a mail of its own: %s', async (purpose) => {
    const unknown = `unknown.${key}@example.com`
    await add({ kind: 'hash', value: await hashEmail(HASH_KEY, unknown), reason: 'manual' })
    const mails = await Promise.all(
      [...everyone, unknown].map(async (email) => ({ email, hash: await hashEmail(HASH_KEY, email), reason: null })),
    )
    const campaign_id = purpose === 'test' ? 1 : null
    const { reasons } = await insertSend(t.db, { purpose, campaign_id, content: CONTENT, warnings: [] }, mails)
    expect(reasons).toEqual(['suppressed', 'suppressed', 'suppressed', null, null, 'suppressed'])
  })
})
