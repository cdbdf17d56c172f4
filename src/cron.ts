// The minute: start what is due, write events to SQL, send lost pointers again. Asks Redis first and opens Postgres only
// when there is work, so that an idle database can sleep.
import { returnOverdue, returnToDraft } from './campaigns/schedule.ts'
import { startCampaign } from './campaigns/start.ts'
import { unwatchCampaigns } from './campaigns/wake.ts'
import { noteRun } from './cron-note.ts'
import type { BatchPointer, DispatchMessage } from './dispatch/message.ts'
import { forgetDays } from './events/activity.ts'
import { drainEvents } from './events/drain.ts'
import { ensurePartitions } from './events/partitions.ts'
import { forgetFeedback } from './feedback/retention.ts'
import { forgetIdempotencyKeys } from './http/idempotency.ts'
import { Problem } from './http/problem.ts'
import type { Services } from './http/services.ts'
import { forgetImports } from './imports/retention.ts'
import { completeCampaign } from './ledger/complete.ts'
import { settleByEvidence } from './ledger/evidence.ts'
import { finishedCampaigns, sweepBatches, sweepFreezes } from './ledger/sweep.ts'
import { log } from './log.ts'
import { forgetSignups, healSignups } from './signup/heal.ts'
import { forgetSends, overdueMails } from './transactional/store.ts'
import { webhooksMinute } from './webhooks/minute.ts'
import { readWake } from './webhooks/wake.ts'

/** What one run may take, in ms: cron runs under an hour apart have 30 s of CPU. */
const BUDGET = 25_000
/** Everything is looked at this often even if Redis knows of no work, in ms. */
const FULL_SWEEP = 3_600_000

export interface Cron extends Services {
  sends: { sendBatch(messages: Iterable<{ body: BatchPointer }>): Promise<unknown> }
  dispatch: { send(message: DispatchMessage): Promise<unknown> }
  /** EVENT_RETENTION_DAYS. */
  event_retention_days?: number
}

/** One run. Runs may overlap, and may be missed: each part takes its work by a conditional statement. */
export async function everyMinute(s: Cron): Promise<void> {
  const now = s.now().getTime()
  const work = await lookForWork(s, now).catch(() => ALL)
  if (work.events || work.full) {
    await part('drain', () =>
      drainEvents(s.db, s.redis, s.redis_keys, {
        until: now + BUDGET,
        onFlushed: (touched) => settleByEvidence(s.db, touched),
        now: s.now,
        retention_days: s.event_retention_days,
      }),
    )
  }
  if (work.watched.length > 0 || work.full) {
    await part('start', () => startDue(s))
    await part('sweep', () => sweep(s))
    await part('watch', () => dropFinished(s, work.watched))
  }
  if (work.signups || work.full) await part('signups', () => healSignups(s, now + BUDGET))
  if (work.full) {
    await part('forget signups', () => forgetSignups(s.db))
    await part('partitions', () => ensurePartitions(s.db, s.now(), s.event_retention_days))
    await part('activity', () => forgetDays(s.db, s.now, now + BUDGET))
    await part('idempotency', () => forgetIdempotencyKeys(s.db))
    await part('transactional', () => sweepTransactional(s))
    await part('feedback', () => forgetFeedback(s.db, now + BUDGET, s.now))
    await part('imports', () => forgetImports(s.db, now + BUDGET, s.now))
    await part('swept', () => s.redis.set(s.redis_keys.swept, String(now)))
  }
  // Last, so that what the parts before have done is told.
  const asks = work.events || work.watched.length > 0 || work.signups || work.full
  if (work.full || (work.webhooks.enabled && (asks || work.webhooks.due.length > 0))) {
    await part('webhooks', () => webhooksMinute(s, work.webhooks, work.full, now + BUDGET))
  }
  await part('note', () => noteRun(s, asks))
}

/** One part's failure leaves the others their turn; what it left undone is done in the next minute. */
async function part(name: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run()
  } catch (error) {
    log('cron_part_failed', { part: name, error: nameOf(error) })
  }
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : 'unknown')

/** What is looked for where Redis cannot say. */
const ALL = { full: true, watched: [], events: true, signups: true, webhooks: readWake([], 0) }

async function lookForWork({ redis, redis_keys }: Services, now: number) {
  const [watched, events, drains, swept, signups, webhooks] = await redis
    .multi()
    .zrange<string[]>(redis_keys.wake, 0, now, { byScore: true, offset: 0, count: 1000 })
    .exists(redis_keys.events, ...redis_keys.event_shards)
    .scard(redis_keys.drains)
    .get<string>(redis_keys.swept)
    .exists(redis_keys.signups)
    .smembers(redis_keys.webhooks)
    .exec<[string[], number, number, string | null, number, string[]]>()
  return {
    watched,
    events: events + drains > 0,
    full: now - Number(swept ?? 0) >= FULL_SWEEP,
    signups: signups > 0,
    webhooks: readWake(webhooks, now),
  }
}

async function startDue(s: Cron): Promise<void> {
  for (const campaign_id of await returnOverdue(s.db)) log('campaign_overdue', { campaign_id })
  const { rows } = await s.db.execute<{ id: string }>(
    `select id from campaigns where status = 'scheduled' and scheduled_at <= now() order by scheduled_at limit 100`,
  )
  for (const row of rows) {
    const id = Number(row.id)
    try {
      await startCampaign(s, id, true)
    } catch (error) {
      // One that fails in a way nobody foresaw is tried again in a minute, and holds up no other.
      if (!(error instanceof Problem)) log('start_failed', { campaign_id: id, error: nameOf(error) })
      else if (error.code === 'campaign_not_ready') await returnToDraft(s, id, `Could not start: ${error.detail}`)
    }
  }
}

/** Pointers that were lost, freezes that died, campaigns whose last batch ended unseen. */
async function sweep(s: Cron): Promise<void> {
  const lost = await sweepBatches(s.db)
  for (let i = 0; i < lost.length; i += 100) {
    await s.sends.sendBatch(lost.slice(i, i + 100).map((body) => ({ body })))
  }
  if (lost.length > 0) log('pointers_sent_again', { count: lost.length })
  for (const message of await sweepFreezes(s.db)) await s.dispatch.send(message)
  for (const id of await finishedCampaigns(s.db)) await completeCampaign(s.db, id)
}

/** Single mails whose pointers were lost, and those that are old enough to be forgotten. */
async function sweepTransactional(s: Cron): Promise<void> {
  const lost = await overdueMails(s.db)
  if (lost.length > 0) await s.transactional.sendBatch(lost.map((mail_id) => ({ body: { mail_id } })))
  await forgetSends(s.db)
}

/** Takes what is neither scheduled nor sending off the watch; puts on it what Redis has forgotten. */
async function dropFinished(s: Cron, watched: readonly string[]): Promise<void> {
  const { rows } = await s.db.execute<{ id: string; at: string }>(`
    select id, case status when 'sending' then 0 else extract(epoch from scheduled_at) * 1000 end::bigint as at
    from campaigns where status in ('sending', 'scheduled')`)
  const open = new Set(rows.map((row) => row.id))
  await unwatchCampaigns(
    s,
    watched.filter((id) => !open.has(id)),
  )
  for (const { id, at } of rows) await s.redis.zadd(s.redis_keys.wake, { score: Number(at), member: id })
}
