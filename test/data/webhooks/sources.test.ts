// Changes made from elsewhere than the API's calls: that they are told is nobody's to remember.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { holdImport } from '../../../src/imports/lease.ts'
import { receivePart } from '../../../src/imports/receive.ts'
import { insertImport } from '../../../src/imports/store.ts'
import { leaveOrPause } from '../../../src/preferences/leave.ts'
import { confirmSignup } from '../../../src/signup/confirm.ts'
import { receiveSignup } from '../../../src/signup/receive.ts'
import { settleSignup } from '../../../src/signup/settle.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { cronOf } from '../../support/minute.ts'
import { openTestRedis, type TestRedis } from '../../support/redis.ts'
import { insertEndpoint, taken } from '../../support/webhooks.ts'

let t: TestDatabase
let r: TestRedis
let s: Awaited<ReturnType<typeof cronOf>>
let endpoint_id: number
let list_id: number
beforeAll(async () => {
  t = await openTestDatabase()
  r = openTestRedis()
  s = {
    ...(await cronOf({ db: t.db, redis: r.redis, redis_keys: r.keys })),
    hash_key: 'hash key of this test, long enough',
  }
  const [list] = await t.sql<{ id: string }>(
    `insert into mailing_lists (name, opt_in, visibility, consent_wording) values ('News', 'double', 'public', 'Yes') returning id`,
  )
  list_id = Number(list?.id)
  await t.sql(`insert into senders (name, from_name, from_email, postal_address)
    values ('house', 'Acme', 'house@acme.example', 'Acme, 1 Main Street')`)
  await t.sql('update settings set sender_id = 1')
  endpoint_id = (await insertEndpoint(t)).id
})
afterAll(async () => {
  await r.close()
  await t.close()
})
beforeEach(() => t.sql('delete from webhook_messages'))

const told = async () =>
  (await taken(t, endpoint_id)).map(({ type, payload }) => [type, payload.list_id, payload.source])

test('an import', async () => {
  const options = { policy: 'fill' as const, list_ids: [list_id], tags: [], consent_source: 'old shop', mapping: {} }
  const import_id = await insertImport(t.db, {
    ...{ kind: 'subscribers', dry_run: false, file_name: 'file.csv', size: null },
    options: { ...options, encoding: null, delimiter: null },
  })
  const hold = { import_id, token: crypto.randomUUID() }
  const file = new Blob(['email,first_name\nada@example.com,Ada\nnot an address,Bob\n']).stream()
  await receivePart({ db: t.db, hash_key: s.hash_key }, await holdImport(t.db, hold, 0), hold, file, true)
  expect(await told()).toEqual([
    ['subscriber.created', undefined, undefined],
    ['subscriber.subscribed', list_id, 'old shop'],
  ])
})

test('a form, once the sign-up is confirmed', async () => {
  const fields = { first_name: null, last_name: null, locale: null, source: 'https://acme.example/', country: 'DE' }
  const id = (await receiveSignup(t.db, { email: 'zoe@example.com', list_ids: [list_id], ...fields }))?.id ?? 0
  await settleSignup(s, id)
  expect(await told()).toEqual([])
  await confirmSignup(s, id, 'DE')
  expect((await told()).map(([type, list]) => [type, list])).toEqual([
    ['subscriber.created', undefined],
    ['subscriber.subscribed', list_id],
  ])
})

test('the preference page', async () => {
  const [person] = await t.sql<{ id: string }>(`select id from subscribers where email = 'ada@example.com'`)
  const said = { source: 'preference page', reason: 'too many', country: null }
  await leaveOrPause(t.db, Number(person?.id), { ...said, list_ids: [list_id], all: true, pause: 30 })
  // Which of two tables is told of first is Postgres' own choice.
  expect((await told()).sort()).toEqual([
    ['subscriber.unsubscribed', null, 'preference page'],
    ['subscriber.unsubscribed', list_id, 'preference page'],
    ['subscriber.updated', undefined, undefined],
  ])
})
