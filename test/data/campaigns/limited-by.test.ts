// What a sending campaign is said to wait for, from how its accounts stand.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { limitedBy } from '../../../src/campaigns/limited-by.ts'
import type { AccountState, Standing } from '../../../src/sending/permit.ts'
import { seedCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'

let t: TestDatabase
let campaign_id: number
beforeAll(async () => {
  t = await openTestDatabase()
  campaign_id = (await seedCampaign(t, 1)).campaign_id
})
afterAll(() => t.close())

const FREE: Standing = {
  connections: 0,
  rate_per_second: null,
  sent_last_day: 0,
  per_day: null,
  service_per_day: null,
  limited_by: null,
  down: null,
}
const account = (name: string, standing: Partial<Standing> | null, pool: string | null = null): AccountState => ({
  name,
  kind: 'smtp',
  where: 'mail.acme.example:587',
  from_domains: ['acme.example'],
  pool,
  max_connections: 4,
  rate_per_second: null,
  per_day: null,
  warm_up: null,
  bounce_domain: null,
  dkim: [],
  standing: standing && { ...FREE, ...standing },
})
const ask = (accounts: AccountState[] | Error, id = campaign_id) =>
  limitedBy(
    {
      db: t.db,
      sender: {
        listAccounts: async () => {
          if (accounts instanceof Error) throw accounts
          return accounts
        },
        reopenAccounts: async () => undefined,
        testAccounts: async () => [],
        sendingDomains: async () => [],
      },
    },
    id,
  )

test('nothing, where nothing of ours holds it up, or nobody can say', async () => {
  expect(await ask([account('a', {})])).toBeNull()
  expect(await ask([account('a', null)])).toBeNull()
  expect(await ask(new Error('away'))).toBeNull()
  expect(await ask([account('a', { limited_by: 'rate' })], 987_654)).toBeNull()
})

test('each factor, in words', async () => {
  const detail = async (standing: Partial<Standing>) => (await ask([account('a', standing)]))?.detail
  expect(await detail({ limited_by: 'connections' })).toBe('All 4 connections (max_connections) are in use.')
  expect(await detail({ limited_by: 'rate', rate_per_second: 14 })).toBe(
    'It sends 14 mails a second, as its configuration or the service says.',
  )
  expect(await detail({ limited_by: 'throttled', rate_per_second: 7.04 })).toBe(
    'The service asked to slow down: 7 mails a second for now, rising by itself.',
  )
  expect(await detail({ limited_by: 'day', sent_last_day: 200, per_day: 200 })).toBe(
    '200 of the 200 mails of 24 hours are sent; it goes on as older ones pass.',
  )
})

test('an account that is down counts only while no other of its pool carries the campaign', async () => {
  const down = { reason: '535 bad credentials.', retry_in_ms: 41_200 }
  const first = account('a', { down }, 'bulk')
  expect(await ask([first, account('b', {}, 'bulk')])).toBeNull()
  expect(await ask([first, account('b', { limited_by: 'rate', rate_per_second: 5 }, 'bulk')])).toMatchObject({
    account: 'b',
    factor: 'rate',
  })
  expect(await ask([first, account('b', {})])).toEqual({
    account: 'a',
    factor: 'down',
    detail: '535 bad credentials. It is tried again in 42 seconds.',
  })
})
