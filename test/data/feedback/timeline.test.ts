import { afterAll, beforeAll, expect, test } from 'vitest'
import { flushEvents } from '../../../src/events/flush.ts'
import { recordFeedback } from '../../../src/feedback/record.ts'
import { forgetFeedback } from '../../../src/feedback/retention.ts'
import { deliveryTimeline } from '../../../src/feedback/timeline.ts'
import { campaignNumbers } from '../../../src/stats/store.ts'
import { deleteSubscriber } from '../../../src/subscribers/delete.ts'
import { frozenCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { event } from '../events/events.ts'
import { AT, later, news, sentCampaign, turn } from './news.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
  await t.sql('update settings set pause_complaint_share = 1, pause_bounce_share = 1, pause_block_share = 1')
})
afterAll(() => t.close())

/** A mail that was sent at AT by a campaign that was started an hour before. */
async function oneMail() {
  const { campaign_id, subscriber_ids } = await sentCampaign(t, 1)
  const id = subscriber_ids[0] as number
  await t.sql('update campaigns set started_at = $2 where id = $1', [campaign_id, later(-60)])
  await t.sql('update deliveries set sent_at = $2, updated_at = $2 where campaign_id = $1', [campaign_id, AT])
  return { campaign_id, id }
}

const timeline = async ({ campaign_id, id }: { campaign_id: number; id: number }) =>
  (await deliveryTimeline(t.db, campaign_id, id))?.timeline.map(({ at, what, detail }) => [at, what, detail])

const forget = () => forgetFeedback(t.db, Number.POSITIVE_INFINITY, () => new Date())

const SCRIPT = '<script>alert("bounce")</script>'

async function story(mail: { campaign_id: number; id: number }) {
  const { campaign_id, id } = mail
  await t.sql(`insert into campaign_links (campaign_id, n, url, text) values ($1, 1, 'https://acme.example/a', 'A')`, [
    campaign_id,
  ])
  await recordFeedback(t.db, [
    news('complaint', campaign_id, id, { occurred_at: later(90) }),
    news('delivered', campaign_id, id, { occurred_at: later(3) }),
    news('deferred', campaign_id, id, { occurred_at: later(1), diagnostic: '421 later' }),
    news('soft_bounce', campaign_id, id, { occurred_at: later(2), diagnostic: SCRIPT, source: 'mail' }),
    news('blocked', campaign_id, id, { occurred_at: later(2), source: 'sendgrid' }),
  ])
  const did = (kind: 'open' | 'click' | 'unsubscribe', minutes: number) =>
    event(kind, campaign_id, id, { occurred_at: later(minutes) })
  await flushEvents(t.db, [
    did('open', 10),
    did('open', 12),
    did('click', 11),
    did('click', 13),
    did('unsubscribe', 20),
  ])
}

test('all that became of a mail, in order of time, in the words of whoever told it', async () => {
  const mail = await oneMail()
  await story(mail)
  expect(await timeline(mail)).toEqual([
    [later(-60), 'queued', null],
    [AT, 'sent', 'by account main: 250 ok'],
    [later(1), 'deferred', 'told by ses: 421 later'],
    [later(2), 'bounced', `soft: told by mail: ${SCRIPT}`],
    [later(2), 'blocked', 'told by sendgrid: 550 blocked'],
    [later(3), 'delivered', 'told by ses'],
    [later(10), 'opened', '2 times in all'],
    [later(11), 'clicked', 'https://acme.example/a'],
    [later(13), 'clicked', 'https://acme.example/a'],
    [later(20), 'unsubscribed', null],
    [later(90), 'complained', 'told by ses'],
  ])
  expect(await deliveryTimeline(t.db, mail.campaign_id, mail.id)).toMatchObject({
    state: 'sent',
    account: 'main',
    delivered_at: later(3),
    bounced_at: later(2),
    blocked_at: later(2),
    complained_at: later(90),
  })
})

test('each state of the ledger says what it is', async () => {
  const said: unknown[] = []
  for (const state of ['sending', 'failed', 'skipped', 'unconfirmed', 'pending', 'deferred']) {
    const mail = await oneMail()
    await t.sql('update deliveries set attempts = 3 where campaign_id = $1', [mail.campaign_id])
    await turn(t, mail.campaign_id, mail.id, state)
    await t.sql('update deliveries set next_attempt_at = $2 where campaign_id = $1', [mail.campaign_id, later(5)])
    const entries = (await timeline(mail)) ?? []
    expect(entries[0]).toEqual([later(-60), 'queued', null])
    said.push(...entries.slice(1))
  }
  const by = 'by account main: attempt 3'
  expect(said).toEqual([
    [AT, 'sending', `${by}: 250 ok`],
    [AT, 'failed', `${by}: test: 250 ok`],
    [AT, 'skipped', `${by}: test: 250 ok`],
    [AT, 'unconfirmed', `${by}: test: 250 ok`],
    [AT, 'deferred', `${by}: test, again at ${later(5)}: 250 ok`],
  ])
})

test('news that came before the ledger could say "sent" does not come first', async () => {
  const mail = await oneMail()
  await recordFeedback(t.db, [news('delivered', mail.campaign_id, mail.id, { occurred_at: later(-1) })])
  expect((await timeline(mail))?.map(([, what]) => what)).toEqual(['queued', 'sent', 'delivered'])
})

test('a mail that is waiting, and one that is not there', async () => {
  const { campaign_id, subscriber_ids } = await frozenCampaign(t, 1)
  const waiting = await deliveryTimeline(t.db, campaign_id, subscriber_ids[0] as number)
  expect(waiting).toMatchObject({ state: 'pending', timeline: [{ what: 'queued', detail: null }] })
  expect(await deliveryTimeline(t.db, campaign_id, 999_999)).toBeNull()
})

test('what is forgotten leaves the first moment of its kind', async () => {
  const mail = await oneMail()
  await story(mail)
  await t.sql(`update feedback_events set received_at = now() - interval '31 days'`)
  await t.sql('delete from campaign_events')
  const [kept] = await t.sql<{ n: number }>('select count(*)::int as n from feedback_events')
  expect(await forget()).toBe(kept?.n)
  expect(await timeline(mail)).toEqual([
    [later(-60), 'queued', null],
    [AT, 'sent', 'by account main: 250 ok'],
    [later(2), 'bounced', 'soft: 550 blocked'],
    [later(2), 'blocked', '550 blocked'],
    [later(3), 'delivered', null],
    [later(10), 'opened', '2 times in all'],
    [later(11), 'clicked', null],
    [later(20), 'unsubscribed', null],
    [later(90), 'complained', null],
  ])
})

test('newer news is kept, and nothing is done when there is no time', async () => {
  const mail = await oneMail()
  await story(mail)
  expect(await forget()).toBe(0)
  await t.sql(`update feedback_events set received_at = now() - interval '31 days'`)
  expect(await forgetFeedback(t.db, 0, () => new Date())).toBe(0)
  expect(await forget()).toBeGreaterThan(0)
})

test('of a deleted subscriber nothing that servers said is left, and every number', async () => {
  const mail = await oneMail()
  await story(mail)
  const numbers = await campaignNumbers(t.db, mail.campaign_id)
  expect(numbers).toMatchObject({
    delivered: 1,
    bounces: { hard: 0, soft: 1 },
    blocked: 1,
    complaints: 1,
    rates: { complaint_rate: 1 },
  })
  await deleteSubscriber(t.db, 'k'.repeat(32), mail.id)
  expect(await campaignNumbers(t.db, mail.campaign_id)).toEqual(numbers)
  expect(
    await t.sql(
      `select count(*)::int as n from feedback_events
       where subscriber_id = $1 and (recipient is not null or raw is not null or diagnostic is not null)`,
      [mail.id],
    ),
  ).toEqual([{ n: 0 }])
  expect(await t.sql('select diagnostic from recipient_feedback where subscriber_id = $1', [mail.id])).toEqual([
    { diagnostic: null },
  ])
  const found = await deliveryTimeline(t.db, mail.campaign_id, mail.id)
  expect(found?.email).toBeNull()
  expect(JSON.stringify(found)).not.toContain('script')
})
