import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deleteList } from '../../src/lists/delete.ts'
import { leaveList } from '../../src/lists/leave.ts'
import { deleteSubscriber } from '../../src/subscribers/delete.ts'
import { hashEmail } from '../../src/subscribers/erasure.ts'
import type { WriteMode } from '../../src/subscribers/judge.ts'
import type { SubscriberRow } from '../../src/subscribers/row.ts'
import { writeSubscribers } from '../../src/subscribers/write.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { minutesAgo, peopleOf, someone } from '../support/people.ts'

const HASH_KEY = 'a key of this test, long enough to be one'

let database: TestDatabase
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())
const { newList, person } = peopleOf(() => database)

const write = (mode: WriteMode, rows: SubscriberRow[]) => writeSubscribers(database.db, HASH_KEY, mode, rows)
const upsert = async (row: SubscriberRow) => {
  const [answer] = await write('upsert', [row])
  if (!answer) throw new Error('no answer')
  return answer
}
const membership = async (list_id: number, id: number | null) => {
  const [row] = await database.sql(`select * from list_members where list_id = $1 and subscriber_id = $2`, [
    list_id,
    id,
  ])
  return row
}
const consentsOf = (id: number | null) =>
  database.sql<{ action: string; list_id: string | null; source: string }>(
    `select action, list_id, source from consents where subscriber_id = $1
     order by occurred_at, list_id nulls last, id`,
    [id],
  )
const LATER = () => new Date(Date.now() + 60_000).toISOString()

describe('writing', () => {
  test('creates, then says unchanged, then updated; absent fields stay and null empties', async () => {
    const email = someone()
    const row = { email, first_name: 'Zoë', last_name: "O'Brien", attributes: { plan: 'pro', seats: 3 } }
    const created = await upsert(row)
    expect(created).toMatchObject({ outcome: 'created', refusal: null, kept: null, kept_lists: [] })
    expect(created.id).toBeGreaterThan(0)
    expect(await upsert(row)).toMatchObject({ outcome: 'unchanged', id: created.id })
    expect(await upsert({ email: email.toUpperCase().replace('EXAMPLE.COM', 'example.com') })).toMatchObject({
      outcome: 'unchanged',
      id: created.id,
    })
    expect(await upsert({ email, last_name: null, attributes: { seats: null, items: ['a', { b: 1 }] } })).toMatchObject(
      { outcome: 'updated', id: created.id },
    )
    expect(await person(email)).toMatchObject({
      email,
      first_name: 'Zoë',
      last_name: null,
      attributes: { plan: 'pro', items: ['a', { b: 1 }] },
      status: 'active',
    })
  })

  test('joins lists once, records each consent once, and keeps the newest', async () => {
    const email = someone()
    const list_id = await newList()
    const other = await newList()
    const row = { email, list_ids: [list_id, other], consented_at: minutesAgo(60), consent_source: 'form' }
    const { id } = await upsert(row)
    expect(await upsert(row)).toMatchObject({ outcome: 'unchanged', id })
    expect(await upsert({ ...row, consented_at: minutesAgo(90) })).toMatchObject({ outcome: 'unchanged' })
    expect(await upsert({ ...row, list_ids: [other], consented_at: minutesAgo(30) })).toMatchObject({
      outcome: 'updated',
    })
    expect((await consentsOf(id)).map((c) => [c.action, Number(c.list_id), c.source])).toEqual([
      ['subscribed', list_id, 'form'],
      ['subscribed', other, 'form'],
      ['subscribed', other, 'form'],
    ])
  })

  test('a consent without a list is recorded for the person, once', async () => {
    const row = { email: someone(), consented_at: minutesAgo(5), consent_source: 'shop' }
    const { id } = await upsert(row)
    expect(await upsert(row)).toMatchObject({ outcome: 'unchanged' })
    expect(await consentsOf(id)).toEqual([{ action: 'subscribed', list_id: null, source: 'shop' }])
  })

  test('refuses a row and writes nothing of it, beside rows that pass', async () => {
    const [good, bad] = [someone(), someone()]
    const list_id = await newList()
    const answers = await write('upsert', [
      { email: bad, list_ids: [list_id, 999_999] },
      { email: good, list_ids: [list_id] },
      { email: bad, attributes: { text: 'x'.repeat(16_400) } },
      { email: bad, consented_at: new Date(Date.now() + 3_600_000).toISOString(), consent_source: 'time machine' },
    ])
    expect(answers.map((a) => a.refusal)).toEqual(['unknown_list', null, 'attributes_too_large', 'consent_in_future'])
    expect(answers.map((a) => a.outcome)).toEqual(['refused', 'created', 'refused', 'refused'])
    expect(await person(bad)).toBeUndefined()
  })

  test('merged attributes may not outgrow their limit either', async () => {
    const email = someone()
    await upsert({ email, attributes: { a: 'x'.repeat(10_000) } })
    expect(await upsert({ email, attributes: { b: 'x'.repeat(10_000) } })).toMatchObject({
      refusal: 'attributes_too_large',
    })
    expect(Object.keys((await person(email))?.attributes as object)).toEqual(['a'])
  })

  test('rows of one call that name the same person take effect one after the other', async () => {
    const email = someone()
    const answers = await write('upsert', [
      { email, first_name: 'A' },
      { email: someone() },
      { email: email.replace(/^./, (c) => c.toUpperCase()), status: 'unsubscribed' },
      { email, first_name: 'B', status: 'active' },
    ])
    expect(answers.map((a) => [a.outcome, a.kept])).toEqual([
      ['created', null],
      ['created', null],
      ['updated', null],
      ['updated', 'unsubscribed'],
    ])
    expect(await person(email)).toMatchObject({ first_name: 'B', status: 'unsubscribed' })
  })

  test('create refuses a known address and changes nothing', async () => {
    const email = someone()
    const [first] = await write('create', [{ email, first_name: 'A' }])
    expect(first?.outcome).toBe('created')
    const [second] = await write('create', [{ email: email.toUpperCase(), first_name: 'B' }])
    expect(second).toMatchObject({ outcome: 'refused', refusal: 'exists' })
    expect(await person(email)).toMatchObject({ first_name: 'A' })
  })

  test('update goes by id, may change the address, and refuses a taken one', async () => {
    const [email, taken, next] = [someone(), someone(), someone()]
    const { id } = await upsert({ email })
    await upsert({ email: taken })
    expect(await write('update', [{ id: id ?? 0, email: next, first_name: 'N' }])).toMatchObject([
      { outcome: 'updated' },
    ])
    expect(await person(next)).toMatchObject({ id: String(id), first_name: 'N' })
    await expect(write('update', [{ id: id ?? 0, email: taken }])).rejects.toThrow()
    expect(await write('update', [{ id: 999_999_999, first_name: 'N' }])).toMatchObject([
      { refusal: 'unknown_subscriber' },
    ])
  })
})

describe.each(['unsubscribed', 'bounced', 'complained'] as const)('someone who %s', (status) => {
  test.each(['upsert', 'update'] as const)('is not made mailable by %s, and the answer says so', async (mode) => {
    const [email, list_id] = [someone(), await newList()]
    const { id } = await upsert({ email, status })
    const row = { email, ...(mode === 'update' ? { id: id ?? 0 } : {}), list_ids: [list_id], first_name: 'New' }
    for (const asked of ['active', undefined] as const) {
      const consent = { consented_at: minutesAgo(-1), consent_source: 'old file' }
      expect(await write(mode, [{ ...row, status: asked, ...consent }])).toMatchObject([{ kept: status }])
    }
    expect(await person(email)).toMatchObject({ status, first_name: 'New' })
    expect(await membership(list_id, id)).toMatchObject({ status: 'unsubscribed' })
    expect((await consentsOf(id)).map((c) => c.action)).toEqual(['unsubscribed'])
  })

  test('stays so without newer consent, and comes back with it, on the lists it names only', async () => {
    const [email, left, named] = [someone(), await newList(), await newList()]
    const { id } = await upsert({ email, status, list_ids: [left, named] })
    const again = { email, list_ids: [named], resubscribe: true, consent_source: 'form' }
    expect(await upsert({ ...again, consented_at: minutesAgo(1) })).toMatchObject({ refusal: 'consent_too_old' })
    expect(await person(email)).toMatchObject({ status })
    expect(await upsert({ ...again, consented_at: LATER() })).toMatchObject({ outcome: 'updated', kept: null })
    expect(await person(email)).toMatchObject({ status: 'active' })
    expect(await membership(named, id)).toMatchObject({ status: 'subscribed', unsubscribed_at: null })
    expect(await membership(left, id)).toMatchObject({ status: 'unsubscribed' })
    expect((await consentsOf(id)).map((c) => [c.action, c.list_id && Number(c.list_id)])).toEqual([
      ['unsubscribed', null],
      ['resubscribed', named],
      ['resubscribed', null],
    ])
  })

  test('leaves the old address suppressed when it changes', async () => {
    const [email, next] = [someone(), someone()]
    const { id } = await upsert({ email, status })
    await write('update', [{ id: id ?? 0, email: next }])
    expect(await database.sql(`select kind from suppressions where value = $1`, [email])).toEqual([{ kind: 'address' }])
    expect(await person(next)).toMatchObject({ status })
  })
})

test('a status set by other parts without a record counts as newer than any consent before the last change', async () => {
  const email = someone()
  const { id } = await upsert({ email })
  await database.sql(`update subscribers set status = 'bounced', updated_at = now() where id = $1`, [id])
  const again = { email, resubscribe: true, consent_source: 'form' }
  expect(await upsert({ ...again, consented_at: minutesAgo(1) })).toMatchObject({ refusal: 'consent_too_old' })
  expect(await upsert({ ...again, consented_at: LATER() })).toMatchObject({ outcome: 'updated' })
})

test('a status only gets worse', async () => {
  const email = someone()
  for (const [asked, kept, is] of [
    ['unsubscribed', null, 'unsubscribed'],
    ['complained', null, 'complained'],
    ['bounced', 'complained', 'complained'],
    ['unsubscribed', 'complained', 'complained'],
    ['active', 'complained', 'complained'],
  ] as const) {
    expect(await upsert({ email, status: asked })).toMatchObject({ kept })
    expect(await person(email)).toMatchObject({ status: is })
  }
})

test('an opt-out that SQL has not heard of yet is overruled by a recorded resubscription only', async () => {
  const [email, list_id] = [someone(), await newList()]
  const row = { email, list_ids: [list_id], consent_source: 'form' }
  const { id } = await upsert({ ...row, consented_at: minutesAgo(9) })
  await upsert({ ...row, consented_at: minutesAgo(5) })
  expect((await consentsOf(id)).map((c) => c.action)).toEqual(['subscribed', 'subscribed'])
  const again = { ...row, consented_at: minutesAgo(1), resubscribe: true }
  expect(await upsert(again)).toMatchObject({ outcome: 'updated' })
  expect(await upsert(again)).toMatchObject({ outcome: 'unchanged' })
  expect((await consentsOf(id)).slice(2).map((c) => [c.action, c.list_id && Number(c.list_id)])).toEqual([
    ['resubscribed', list_id],
    ['resubscribed', null],
  ])
})

test('a consent whose clock runs ahead counts from now: an opt-out that follows is newer', async () => {
  const [email, list_id] = [someone(), await newList()]
  const row = { email, list_ids: [list_id], consent_source: 'form', resubscribe: true }
  const { id } = await upsert({ ...row, consented_at: LATER() })
  const [ahead] = await database.sql(
    `select count(*)::int as n from consents c
     left join list_members m on m.subscriber_id = c.subscriber_id
     where c.subscriber_id = $1 and (c.occurred_at > now() or m.consented_at > now())`,
    [id],
  )
  expect(ahead).toEqual({ n: 0 })
  await leaveList(database.db, list_id, id ?? 0)
  // Not this millisecond of this process: SQL's clock has microseconds, and the opt-out may be later in the same one.
  const returned = new Date(Date.now() + 1).toISOString()
  expect(await upsert({ ...row, consented_at: returned })).toMatchObject({ outcome: 'updated' })
})

test.each(['unsubscribed', 'bounced', 'complained'] as const)(
  'who was %s comes back to the lists that are named, and without any to those they were on',
  async (status) => {
    const lists = [await newList(), await newList(), await newList()]
    const [first = 0, second = 0, third = 0] = lists
    const stand = async (id: number | null) =>
      (await Promise.all(lists.map((list_id) => membership(list_id, id)))).map((row) => row?.status)
    const given = { consented_at: minutesAgo(9), consent_source: 'form' }
    const again = { consented_at: LATER(), consent_source: 'form', resubscribe: true }

    const email = someone()
    const { id } = await upsert({ email, list_ids: lists, ...given })
    await upsert({ email, status })
    // Two rows of one call: what the first did not name, the second may.
    const rows = [[first], [second]].map((list_ids) => ({ email, list_ids, ...again }))
    expect((await write('upsert', rows)).map(({ outcome }) => outcome)).toEqual(['updated', 'updated'])
    expect(await person(email)).toMatchObject({ status: 'active' })
    expect(await stand(id)).toEqual(['subscribed', 'subscribed', 'unsubscribed'])
    expect(await consentsOf(id)).toContainEqual({
      action: 'unsubscribed',
      list_id: String(third),
      source: 'came back to other lists',
    })
    await upsert({ email, list_ids: [third], ...again, consented_at: LATER() })
    expect(await stand(id)).toEqual(['subscribed', 'subscribed', 'subscribed'])

    const other = someone()
    const all = await upsert({ email: other, list_ids: lists, ...given })
    await upsert({ email: other, status })
    await upsert({ email: other, ...again })
    expect(await stand(all.id)).toEqual(['subscribed', 'subscribed', 'subscribed'])
  },
)

test('who is active and agrees anew to one list stays on the others', async () => {
  const [email, one, two] = [someone(), await newList(), await newList()]
  const { id } = await upsert({ email, list_ids: [one, two], consented_at: minutesAgo(9), consent_source: 'form' })
  await upsert({ email, list_ids: [one], consented_at: LATER(), consent_source: 'form', resubscribe: true })
  expect(await membership(two, id)).toMatchObject({ status: 'subscribed' })
})

describe('a list someone left', () => {
  const leave = async (email: string) => {
    const list_id = await newList()
    const { id } = await upsert({ email, list_ids: [list_id], consented_at: minutesAgo(9), consent_source: 'form' })
    await database.sql(
      `update list_members set status = 'unsubscribed', unsubscribed_at = now() where list_id = $1 and subscriber_id = $2`,
      [list_id, id],
    )
    return { list_id, id }
  }

  test('stays left by every write, and the answer names it', async () => {
    const email = someone()
    const { list_id, id } = await leave(email)
    for (const mode of ['upsert', 'update'] as const) {
      const row = {
        email,
        ...(mode === 'update' ? { id: id ?? 0 } : {}),
        list_ids: [list_id],
        status: 'active' as const,
      }
      const [answer] = await write(mode, [{ ...row, consented_at: LATER(), consent_source: 'old file' }])
      expect(answer).toMatchObject({ kept: null, kept_lists: [list_id] })
    }
    expect(await membership(list_id, id)).toMatchObject({ status: 'unsubscribed' })
  })

  test('is rejoined with newer consent only', async () => {
    const email = someone()
    const { list_id, id } = await leave(email)
    const again = { email, list_ids: [list_id], resubscribe: true, consent_source: 'form' }
    expect(await upsert({ ...again, consented_at: minutesAgo(1) })).toMatchObject({ refusal: 'consent_too_old' })
    expect(await upsert({ ...again, consented_at: LATER() })).toMatchObject({ outcome: 'updated', kept_lists: [] })
    expect(await membership(list_id, id)).toMatchObject({ status: 'subscribed' })
    expect((await consentsOf(id)).map((c) => [c.action, c.list_id && Number(c.list_id)])).toEqual([
      ['subscribed', list_id],
      ['resubscribed', list_id],
      ['resubscribed', null],
    ])
  })

  test('is not rejoined with a consent older than the last time they left, though they left before', async () => {
    const email = someone()
    const { list_id, id } = await leave(email)
    await database.sql(
      `update list_members set unsubscribed_at = now() - interval '8 minutes' where list_id = $1 and subscriber_id = $2`,
      [list_id, id],
    )
    await leaveList(database.db, list_id, id ?? 0)
    const again = { email, list_ids: [list_id], resubscribe: true, consent_source: 'form' }
    expect(await upsert({ ...again, consented_at: minutesAgo(4) })).toMatchObject({ refusal: 'consent_too_old' })
    expect(await membership(list_id, id)).toMatchObject({ status: 'unsubscribed' })
    expect(await upsert({ ...again, consented_at: LATER() })).toMatchObject({ outcome: 'updated', kept_lists: [] })
  })

  test('leaves the old address suppressed when it changes', async () => {
    const email = someone()
    const { id } = await leave(email)
    await write('update', [{ id: id ?? 0, email: someone() }])
    expect(await database.sql(`select reason from suppressions where value = $1`, [email])).toEqual([
      { reason: 'unsubscribe' },
    ])
  })
})

describe('a deleted subscriber', () => {
  test('leaves a keyed hash and the ledger, and nothing with the address', async () => {
    const [email, list_id] = [someone(), await newList()]
    const { id } = await upsert({ email, list_ids: [list_id], consented_at: minutesAgo(1), consent_source: 'form' })
    await database.sql(
      `insert into deliveries (campaign_id, subscriber_id, batch, state, reason, answer)
       values (1, $1, 1, 'failed', 'rejected', $2), (2, $1, 1, 'sent', null, null)`,
      [id, `550 <${email}> unknown`],
    )
    expect(await deleteSubscriber(database.db, HASH_KEY, id ?? 0)).toBe(true)
    expect(await person(email)).toBeUndefined()
    expect(await membership(list_id, id)).toBeUndefined()
    expect(await consentsOf(id)).toEqual([])
    expect(
      await database.sql(`select state, reason, answer from deliveries where subscriber_id = $1 order by campaign_id`, [
        id,
      ]),
    ).toEqual([
      { state: 'failed', reason: 'rejected', answer: null },
      { state: 'sent', reason: null, answer: null },
    ])
    const hash = await hashEmail(HASH_KEY, email.toUpperCase())
    expect(await database.sql(`select kind, reason from suppressions where value = $1`, [hash])).toEqual([
      { kind: 'hash', reason: 'deleted' },
    ])
    expect(await deleteSubscriber(database.db, HASH_KEY, id ?? 0)).toBe(false)
  })

  test('is refused by every write until consent that is newer comes', async () => {
    const [email, list_id, other] = [someone(), await newList(), someone()]
    const { id } = await upsert({ email })
    const { id: other_id } = await upsert({ email: other })
    await deleteSubscriber(database.db, HASH_KEY, id ?? 0)
    const row = { email, list_ids: [list_id], consent_source: 'form' }
    expect(await upsert(row)).toMatchObject({ refusal: 'deleted_before' })
    expect(await write('create', [{ ...row, email: email.toUpperCase() }])).toMatchObject([
      { refusal: 'deleted_before' },
    ])
    expect(await write('update', [{ id: other_id ?? 0, email }])).toMatchObject([{ refusal: 'deleted_before' }])
    const again = { ...row, resubscribe: true }
    expect(await upsert({ ...again, consented_at: minutesAgo(1) })).toMatchObject({ refusal: 'consent_too_old' })
    expect(await person(email)).toBeUndefined()
    const created = await upsert({ ...again, consented_at: LATER() })
    expect(created).toMatchObject({ outcome: 'created' })
    expect((await consentsOf(created.id)).map((c) => [c.action, c.list_id && Number(c.list_id)])).toEqual([
      ['resubscribed', list_id],
      ['resubscribed', null],
    ])
    expect(
      await database.sql(`select 1 from suppressions where value = $1`, [await hashEmail(HASH_KEY, email)]),
    ).toEqual([])
  })
})

describe('in parallel', () => {
  test('the same rows in any order: each created once, nobody fails', async () => {
    const emails = Array.from({ length: 60 }, someone)
    const list_id = await newList()
    const calls = await Promise.all(
      Array.from({ length: 8 }, (_, call) => {
        const rows = emails.map((email) => ({ email, list_ids: [list_id], first_name: `call ${call}` }))
        return write('upsert', call % 2 ? rows.reverse() : rows)
      }),
    )
    const answers = calls.flat()
    expect(answers.filter((a) => a.outcome === 'created')).toHaveLength(emails.length)
    expect(answers.every((a) => a.refusal === null && a.id !== null)).toBe(true)
    expect(new Set(answers.map((a) => a.id)).size).toBe(emails.length)
  })

  test('updates by id and upserts by address do not fail each other', async () => {
    const emails = Array.from({ length: 40 }, someone)
    const list_id = await newList()
    const ids = (
      await write(
        'upsert',
        emails.map((email) => ({ email })),
      )
    ).map((a) => a.id ?? 0)
    const calls = await Promise.all(
      Array.from({ length: 8 }, (_, call) =>
        call % 2
          ? write('update', ids.map((id) => ({ id, first_name: `${call}`, list_ids: [list_id] })).reverse())
          : write(
              'upsert',
              emails.map((email) => ({ email, first_name: `${call}`, list_ids: [list_id] })),
            ),
      ),
    )
    expect(calls.flat().every((a) => a.refusal === null)).toBe(true)
  })

  test('creates of one address: one wins, the others are told', async () => {
    const email = someone()
    const answers = (await Promise.all(Array.from({ length: 8 }, () => write('create', [{ email }])))).flat()
    expect(answers.filter((a) => a.outcome === 'created')).toHaveLength(1)
    expect(answers.filter((a) => a.refusal === 'exists')).toHaveLength(7)
  })

  test('a deletion and imports: the person is gone or was never deleted, never gone and back', async () => {
    for (let round = 0; round < 10; round++) {
      const email = someone()
      const { id } = await upsert({ email })
      await Promise.all([
        ...Array.from({ length: 4 }, () => upsert({ email, first_name: 'import' })),
        deleteSubscriber(database.db, HASH_KEY, id ?? 0),
        ...Array.from({ length: 4 }, () => upsert({ email, first_name: 'import' })),
      ])
      expect(await person(email)).toBeUndefined()
    }
  })

  test('a list that is deleted while people join it: each row is written or refused, none fails', async () => {
    for (let round = 0; round < 5; round++) {
      const list_id = await newList()
      const calls = await Promise.all([
        ...Array.from({ length: 3 }, () => write('upsert', [{ email: someone(), list_ids: [list_id] }])),
        deleteList(database.db, list_id),
        ...Array.from({ length: 3 }, () => write('upsert', [{ email: someone(), list_ids: [list_id] }])),
      ])
      const refusals = calls.flatMap((call) => (Array.isArray(call) ? call.map((answer) => answer.refusal) : []))
      expect(refusals).toHaveLength(6)
      expect(refusals.every((refusal) => refusal === null || refusal === 'unknown_list')).toBe(true)
    }
  })

  test('an opt-out and imports: the opt-out stays', async () => {
    for (let round = 0; round < 10; round++) {
      const [email, list_id] = [someone(), await newList()]
      const { id } = await upsert({ email, list_ids: [list_id] })
      const row = { email, list_ids: [list_id], status: 'active' as const, consented_at: minutesAgo(round) }
      await Promise.all([
        ...Array.from({ length: 3 }, () => upsert({ ...row, consent_source: 'import' })),
        upsert({ email, status: 'unsubscribed' }),
        database.sql(
          `update list_members set status = 'unsubscribed', unsubscribed_at = now() where subscriber_id = $1`,
          [id],
        ),
        ...Array.from({ length: 3 }, () => upsert({ ...row, consent_source: 'import' })),
      ])
      expect(await person(email)).toMatchObject({ status: 'unsubscribed' })
      expect(await membership(list_id, id)).toMatchObject({ status: 'unsubscribed' })
    }
  })
})
