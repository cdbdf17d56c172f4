// News to record, the mails it is about, and a second opinion on the counters.
import type { FeedbackEvent, FeedbackKind } from '../../../src/feedback/event.ts'
import { frozenCampaign, type SeededCampaign } from '../../support/campaign.ts'
import type { TestDatabase } from '../../support/database.ts'

/** Some time ago: a moment to come would be taken for now. */
export const AT = new Date(Date.now() - 20 * 86_400_000).toISOString()

/** AT, so many minutes later. */
export const later = (minutes: number) => new Date(Date.parse(AT) + minutes * 60_000).toISOString()

export function news(
  kind: FeedbackKind,
  campaign_id: number,
  subscriber_id: number,
  more: Partial<FeedbackEvent> = {},
): FeedbackEvent {
  return {
    event_id: crypto.randomUUID(),
    source: 'ses',
    kind,
    campaign_id,
    subscriber_id,
    recipient: null,
    occurred_at: AT,
    diagnostic: kind === 'delivered' || kind === 'complaint' ? null : `550 ${kind}`,
    raw: '{}',
    ...more,
  }
}

/** A campaign that is sending, with every mail sent. */
export async function sentCampaign(t: TestDatabase, size: number): Promise<SeededCampaign> {
  const seeded = await frozenCampaign(t, size)
  await t.sql(
    `update deliveries set state = 'sent', attempts = 1, account = 'main', answer = '250 ok', lease_token = gen_random_uuid(),
       group_no = 0, sent_at = now() where campaign_id = $1`,
    [seeded.campaign_id],
  )
  await t.sql('update batches set sent = open, open = 0 where campaign_id = $1', [seeded.campaign_id])
  return seeded
}

/**
 * Puts one row, whatever it is, into another state; its batch's counters follow. One that was `offered` and is pending waits
 * to be sent again.
 */
export async function turn(
  t: TestDatabase,
  campaign_id: number,
  subscriber_id: number,
  state: string,
  { offered = true } = {},
) {
  const [before] = await t.sql<{ state: string; batch: number }>(
    'select state, batch from deliveries where campaign_id = $1 and subscriber_id = $2',
    [campaign_id, subscriber_id],
  )
  if (!before) throw new Error('no such delivery')
  const counter = (of: string) => (['pending', 'sending', 'deferred'].includes(of) ? 'open' : of)
  await t.sql(
    `update deliveries set state = $3, next_attempt_at = now(),
       lease_token = case when $4 then coalesce(lease_token, gen_random_uuid()) end,
       reason = case when $3 in ('failed', 'skipped', 'unconfirmed', 'deferred') then 'test'
         when $3 = 'pending' and $4 then 'resend' end
     where campaign_id = $1 and subscriber_id = $2`,
    [campaign_id, subscriber_id, state, offered],
  )
  const [from, to] = [counter(before.state), counter(state)]
  if (from !== to) {
    await t.sql(`update batches set ${from} = ${from} - 1, ${to} = ${to} + 1 where campaign_id = $1 and n = $2`, [
      campaign_id,
      before.batch,
    ])
  }
}

/** Everything that follows from news about one mail, in a form to compare. */
export async function consequences(t: TestDatabase, campaign_id: number, subscriber_id: number) {
  const [row] = await t.sql(
    `select s.status, d.state,
       (select json_agg(json_build_array(x.value = lower(s.email), x.reason)) from suppressions x
         where x.value = lower(s.email)) as suppressed,
       (select m.status from list_members m where m.subscriber_id = s.id) as membership,
       (select count(*)::int from consents where subscriber_id = s.id and action = 'unsubscribed') as opted_out,
       to_jsonb(r) - 'campaign_id' - 'subscriber_id' as feedback
     from deliveries d
     join subscribers s on s.id = d.subscriber_id
     left join recipient_feedback r on r.campaign_id = d.campaign_id and r.subscriber_id = d.subscriber_id
     where d.campaign_id = $1 and d.subscriber_id = $2`,
    [campaign_id, subscriber_id],
  )
  const [totals] = await t.sql(
    'select delivered, soft_bounces, hard_bounces, blocks, complaints from campaign_stats where campaign_id = $1',
    [campaign_id],
  )
  return { ...row, totals: totals ?? null } as Record<string, unknown>
}

/** Every counter that differs from a recount of the events that are kept, and every batch that differs from its rows. */
export const differences = (t: TestDatabase) =>
  t.sql(`
    with raw as (
      select campaign_id, subscriber_id,
        count(*) filter (where kind = 'delivered') as delivered, count(*) filter (where kind = 'soft_bounce') as soft_bounces,
        count(*) filter (where kind = 'hard_bounce') as hard_bounces, count(*) filter (where kind = 'blocked') as blocks,
        count(*) filter (where kind = 'complaint') as complaints,
        min(occurred_at) filter (where source <> 'answer') as accepted_at,
        min(occurred_at) filter (where kind = 'delivered') as delivered_at,
        min(occurred_at) filter (where kind = 'soft_bounce') as soft_bounced_at,
        min(occurred_at) filter (where kind = 'hard_bounce') as hard_bounced_at,
        min(occurred_at) filter (where kind = 'blocked') as blocked_at,
        min(occurred_at) filter (where kind = 'complaint') as complained_at
      from feedback_events where matched group by 1, 2
    ), totals as (
      select campaign_id, count(*) filter (where delivered > 0) as delivered,
        count(*) filter (where soft_bounces > 0) as soft_bounces, count(*) filter (where hard_bounces > 0) as hard_bounces,
        count(*) filter (where blocks > 0) as blocks, count(*) filter (where complaints > 0) as complaints
      from raw group by 1
    )
    select 'recipient' as what, to_jsonb(w) as raw, to_jsonb(r) as kept
      from raw w full join recipient_feedback r using (campaign_id, subscriber_id)
      where to_jsonb(w) is distinct from to_jsonb(r) - 'diagnostic' - 'diagnosed_at'
    union all select 'total', to_jsonb(w), to_jsonb(s)
      from totals w full join campaign_stats s using (campaign_id)
      where (coalesce(w.delivered, 0), coalesce(w.soft_bounces, 0), coalesce(w.hard_bounces, 0), coalesce(w.blocks, 0),
          coalesce(w.complaints, 0)) is distinct from (s.delivered, s.soft_bounces, s.hard_bounces, s.blocks, s.complaints)
    union all select 'batch', to_jsonb(b), null from batches b
      where (b.open, b.sent, b.failed, b.skipped, b.unconfirmed) is distinct from (
        select (count(*) filter (where state in ('pending', 'sending', 'deferred'))::int,
          count(*) filter (where state = 'sent')::int, count(*) filter (where state = 'failed')::int,
          count(*) filter (where state = 'skipped')::int, count(*) filter (where state = 'unconfirmed')::int)
        from deliveries d where d.campaign_id = b.campaign_id and d.batch = b.n)
    limit 20`)
