import { afterAll, beforeAll, expect, test } from 'vitest'
import { exportPerson } from '../../../src/exports/person.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { leaveTraces, type Traces } from '../../support/traces.ts'

let t: TestDatabase
let traces: Traces
beforeAll(async () => {
  t = await openTestDatabase()
  await leaveTraces(t)
  traces = await leaveTraces(t)
  await leaveTraces(t)
})
afterAll(() => t.close())

test('holds what every table has of them, and nothing of anybody else', async () => {
  const { id, email, former_email, campaign_id, list_id, mark: key } = traces
  const data = await exportPerson(t.db, id)
  expect(data).toMatchObject({
    profile: { id, email, first_name: `First${key}`, attributes: { seats: 3 }, tags: [`tag ${key}`], locale: 'de' },
    former_addresses: [former_email.toLowerCase()],
    lists: [{ list_id, status: 'subscribed', consent_source: `form ${key}` }, { status: 'unsubscribed' }],
    consents: [
      {
        ...{ action: 'subscribed', list_id, source: `form ${key}`, wording: `I, ${key}, agree`, country: 'DE' },
        occurred_at: '2026-01-02T03:04:05.000Z',
      },
    ],
    mails: [{ campaign_id, campaign: 'News', state: 'sent', opens: 1, clicks: 1, answer: `250 for ${email}` }],
    events_left_out: 0,
    activity: { days: [{ opens: 1, clicks: 1 }] },
    sign_ups: [{ email: email.toUpperCase(), wording: 'I agree' }],
    single_mails: [
      { purpose: 'confirmation', state: 'queued', subject: `Please confirm, First${key}` },
      { purpose: 'data', state: 'sent' },
    ],
  })
  expect(data?.events.map(({ kind, url, country }) => [kind, url, country]).sort()).toEqual([
    ['click', 'https://acme.example/', 'DE'],
    ['open', null, 'DE'],
  ])
  expect(data?.feedback.map(({ kind }) => kind).sort()).toEqual(['delivered', 'soft_bounce'])
  expect(data?.suppressions.map(({ value }) => value).sort()).toEqual(
    [email, former_email].map((a) => a.toLowerCase()).sort(),
  )
  const others = JSON.stringify(data)
    .match(/[0-9a-f]{32}/g)
    ?.filter((found) => found !== key)
  expect(others).toEqual([])
})

test('of nobody is null', async () => {
  expect(await exportPerson(t.db, 999_999_999)).toBeNull()
})
