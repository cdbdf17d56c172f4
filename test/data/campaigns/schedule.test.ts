// A schedule from its pause to its start, and what becomes of one that nobody could start in time.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { returnToDraft, scheduleCampaign, unscheduleCampaign } from '../../../src/campaigns/schedule.ts'
import { startCampaign } from '../../../src/campaigns/start.ts'
import { insertCampaign } from '../../../src/campaigns/store.ts'
import { cancelCampaign, pauseCampaign, resumeCampaign } from '../../../src/campaigns/transitions.ts'
import { underWatch } from '../../../src/campaigns/wake.ts'
import { type Cron, everyMinute } from '../../../src/cron.ts'
import type { DispatchMessage } from '../../../src/dispatch/message.ts'
import { summarise } from '../../../src/providers/account.ts'
import { parseAccounts } from '../../../src/providers/accounts.ts'
import { compileTemplate } from '../../../src/templates/compile.ts'
import { deleteTemplate, insertTemplate } from '../../../src/templates/store.ts'
import { seedCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { cronOf } from '../../support/minute.ts'
import { openTestRedis, type TestRedis } from '../../support/redis.ts'

let t: TestDatabase
let r: TestRedis
let services: Cron
let template_id: number
const dispatched: DispatchMessage[] = []

const INBOX = '[{"name": "inbox", "kind": "smtp", "host": "localhost", "port": 2525, "tls": "none"}]'
/** ACCOUNTS of the sending Worker; null when it cannot be asked. */
let accounts: string | null

beforeAll(async () => {
  t = await openTestDatabase()
  r = openTestRedis()
  const source = '<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">leave</a></p>'
  const template = { format: 'html', source, text_source: null } as const
  template_id = (await insertTemplate(t.db, 'T', { ...template, compiled: await compileTemplate(template) })) ?? 0
  const base = await cronOf({ db: t.db, redis: r.redis, redis_keys: r.keys })
  services = {
    ...base,
    dispatch: { send: async (message) => dispatched.push(message) },
    sender: {
      ...base.sender,
      listAccounts: async () => {
        if (accounts === null) throw new Error('no such Worker')
        return parseAccounts(accounts).map((account) => ({ ...summarise(account, new Date()), standing: null }))
      },
    },
  }
})
afterAll(async () => {
  await r.close()
  await t.close()
})
beforeEach(async () => {
  accounts = INBOX
  dispatched.length = 0
  await r.redis.del(r.keys.wake)
  // As after a full sweep a moment ago: only what is watched is looked at.
  await r.redis.set(r.keys.swept, String(Date.now()))
  await t.sql(`update campaigns set status = 'cancelled' where status in ('sending', 'scheduled', 'paused')`)
})

/** A campaign that can start, due so many minutes from now (before now if it is less than 0). */
async function scheduled(minutes: number, max_late_minutes = 120, account: string | null = null) {
  const { campaign_id, list_id } = await seedCampaign(t, 2)
  const [row] = await t.sql<{ sender_id: string }>('select sender_id from campaigns where id = $1', [campaign_id])
  const { id } = await insertCampaign(t.db, {
    name: 'News',
    subject: 'News',
    preheader: null,
    template_id,
    template_version: null,
    sender_id: Number(row?.sender_id),
    account,
    audience: { include: [list_id], exclude: [], where: {}, sample: null },
    utm: null,
    track_opens: null,
    track_clicks: null,
  })
  await scheduleCampaign(services, id, new Date(Date.now() + minutes * 60_000).toISOString(), max_late_minutes)
  return id
}

interface Read {
  status: string
  status_reason: string | null
  scheduled: boolean
  pinned_version: number | null
}

async function read(id: number) {
  const [row] = await t.sql<Read>(
    `select status, status_reason, scheduled_at is not null as scheduled, pinned_version from campaigns where id = $1`,
    [id],
  )
  if (!row) throw new Error('no such campaign')
  return row
}

/** The watch's moment, in minutes from now; null when it is not watched. */
async function watchedIn(id: number) {
  const at = await r.redis.zscore(r.keys.wake, String(id))
  return at === null ? null : Math.round((Number(at) - Date.now()) / 60_000)
}

const cron = () => everyMinute(services)
const become = async (id: number, minutes: number) =>
  t.sql(`update campaigns set scheduled_at = now() + make_interval(mins => $2::int) where id = $1`, [id, minutes])

describe('what is due', () => {
  test('starts, also late, while its schedule allows it', async () => {
    const [now, late, later] = [await scheduled(-1), await scheduled(-119), await scheduled(5)]
    await cron()
    expect([(await read(now)).status, (await read(late)).status]).toEqual(['sending', 'sending'])
    expect((await read(later)).status).toBe('scheduled')
    expect(dispatched.map(({ campaign_id }) => campaign_id).sort()).toEqual([now, late].sort())
  })

  test('and later than that goes back to draft, with when it was due and how late it is', async () => {
    const [overdue, patient] = [await scheduled(-185), await scheduled(-185, 186)]
    await cron()
    expect(await read(overdue)).toEqual({
      status: 'draft',
      status_reason: expect.stringMatching(
        /^It was due at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z and not started: by now it is 185 minutes late, and max_late_minutes is 120\. Send it now, or schedule it again\.$/,
      ),
      scheduled: false,
      pinned_version: null,
    })
    expect((await read(patient)).status).toBe('sending')
    expect(await watchedIn(overdue)).toBeNull()
  })

  test('does not start when it became too late while it was being rendered', async () => {
    const id = await scheduled(-130)
    await expect(startCampaign(services, id, true)).rejects.toMatchObject({ code: 'wrong_status' })
    expect((await read(id)).status).toBe('scheduled')
  })

  test('cannot be sent back to draft by a run that saw it before it was given another time', async () => {
    const id = await scheduled(5)
    await returnToDraft(services, id, 'too slow')
    expect((await read(id)).status).toBe('scheduled')
  })

  test('is not held up by one that cannot even be looked at', async () => {
    const [broken, good] = [await scheduled(-2), await scheduled(-1)]
    await t.sql(`update campaigns set audience = '{}' where id = $1`, [broken])
    await cron()
    expect([(await read(broken)).status, (await read(good)).status]).toEqual(['scheduled', 'sending'])
  })
})

describe('a schedule that is paused', () => {
  test('keeps its time and version, does not start, and is not watched', async () => {
    const id = await scheduled(-1)
    expect(await pauseCampaign(t.db, id, 'test')).toBe(true)
    await cron()
    expect(await read(id)).toEqual({ status: 'paused', status_reason: 'test', scheduled: true, pinned_version: 1 })
    expect(await watchedIn(id)).toBeNull()
    expect(await deleteTemplate(t.db, template_id)).toBe('in_use')
  })

  test('is watched for its time again once it is resumed', async () => {
    const id = await scheduled(30)
    await pauseCampaign(t.db, id, 'test')
    await r.redis.del(r.keys.wake)
    await r.redis.set(r.keys.swept, '0')
    await cron()
    expect(await watchedIn(id)).toBeNull()
    await underWatch(services, id, 0, () => resumeCampaign(t.db, id))
    await cron()
    expect([(await read(id)).status, await watchedIn(id)]).toEqual(['scheduled', 30])
  })

  test.each([
    [-60, 'sending'],
    [-130, 'draft'],
  ])('resumed when its time is %i minutes off is %s', async (minutes, status) => {
    const id = await scheduled(30)
    await pauseCampaign(t.db, id, 'test')
    await become(id, minutes)
    await underWatch(services, id, 0, () => resumeCampaign(t.db, id))
    await cron()
    expect((await read(id)).status).toBe(status)
  })

  test('can be given up, ended, or given another time', async () => {
    const [draft, cancelled, moved] = [await scheduled(30), await scheduled(30), await scheduled(30)]
    for (const id of [draft, cancelled, moved]) await pauseCampaign(t.db, id, 'test')
    await unscheduleCampaign(services, draft)
    expect(await read(draft)).toEqual({ status: 'draft', status_reason: null, scheduled: false, pinned_version: null })
    expect([await cancelCampaign(t.db, cancelled), await resumeCampaign(t.db, cancelled)]).toEqual([true, false])
    await scheduleCampaign(services, moved, new Date(Date.now() + 600_000).toISOString(), 5)
    expect(await read(moved)).toMatchObject({ status: 'scheduled', status_reason: null, pinned_version: 1 })
  })

  test('against its start at the same moment: it is paused before, or after it has started', async () => {
    for (let round = 0; round < 6; round++) {
      const id = await scheduled(-1)
      const [paused] = await Promise.all([pauseCampaign(t.db, id, 'test'), cron()])
      const [row] = await t.sql('select status, started_at is not null as started from campaigns where id = $1', [id])
      expect([paused, row?.status]).toEqual([true, 'paused'])
      if (!row?.started) expect(dispatched.some(({ campaign_id }) => campaign_id === id)).toBe(false)
      expect(await resumeCampaign(t.db, id)).toBe(true)
      expect((await read(id)).status).toBe(row?.started ? 'sending' : 'scheduled')
    }
  })
})

describe('the account of a campaign that starts', () => {
  const ONLY_B = INBOX.replace('}', ', "from_domains": ["b.example"]}')

  test('is fixed with everything else it sends', async () => {
    const id = await scheduled(-1, 120, 'inbox')
    await cron()
    expect(
      await t.sql(`select snapshot -> 'sender' ->> 'account' as account from campaigns where id = $1`, [id]),
    ).toEqual([{ account: 'inbox' }])
  })

  test.each<[string | null, string, RegExp]>([
    ['other', INBOX, /^Could not start: names no sending account: there is inbox$/],
    ['inbox', ONLY_B, /may not send from acme\.example, nor may any other$/],
    [
      null,
      ONLY_B,
      /the sender has an address at acme\.example, which no sending account may send from: there is inbox$/,
    ],
  ])('%j with unfit accounts: back to draft', async (account, configured, reason) => {
    accounts = configured
    const id = await scheduled(-1, 120, account)
    await cron()
    expect(await read(id)).toMatchObject({ status: 'draft', status_reason: expect.stringMatching(reason) })
  })

  test('is left to the send loop when the sending Worker cannot be asked', async () => {
    accounts = null
    const id = await scheduled(-1, 120, 'other')
    await cron()
    expect((await read(id)).status).toBe('sending')
  })
})
