import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import type { Outcome, Trial } from './attempt.ts'
import { LEASE_MINUTES } from './dispatch.ts'

/** An endpoint is disabled once every try has failed for so many days... */
const FAILING_DAYS = 5
/** ...and a message has been tried so often: one that hears little is not judged by a single try. */
const FAILING_TRIES = 4

/** Up to so many seconds the queue itself holds a pointer back; it need not wake the database for that. */
export const SOON = 60

export interface RecordedTry {
  /** False when the message is gone, or somebody else's by now: nothing was written. */
  recorded: boolean
  /** Why its endpoint was disabled by this try. */
  disabled: string | null
}

/**
 * Writes down what came of a try, and what follows for the message and its endpoint, in one statement.
 *
 * @param delay - seconds until the next try; null when there is none
 */
export async function recordTry(
  db: Database,
  trial: Trial,
  outcome: Outcome,
  delay: number | null,
): Promise<RecordedTry> {
  const { result, response_status, response, duration_ms } = outcome
  const delivered = result === 'delivered'
  const status = delivered ? 'delivered' : delay === null ? 'failed' : 'pending'
  const soon = status === 'pending' && delay !== null && delay <= SOON
  const said = response_status === null ? response.slice(0, 200) : `HTTP ${response_status}`
  const { rows } = await retryDeadlocks(() =>
    db.execute<{ recorded: boolean; disabled: string | null }>(sql`
      with told as (
        update webhook_messages set
          status = ${status}, delivered_at = case when ${delivered} then now() end, in_flight = ${soon},
          due_at = now() + make_interval(secs => ${delay ?? 0}) + case when ${soon} then make_interval(mins => ${LEASE_MINUTES}) else '0' end
        where id = ${trial.message_id} and attempts = ${trial.attempts} and status = 'pending'
        returning id, endpoint_id
      ), logged as (
        insert into webhook_attempts (message_id, response_status, response, duration_ms)
        select id, ${response_status}::int, ${response}::text, ${Math.round(duration_ms)}::int from told
      ), judged as materialized (
        select e.id, case
          when ${result === 'gone'} then 'It answered that it is gone for good (HTTP 410).'
          when ${!delivered && trial.attempts >= FAILING_TRIES}
            and e.failing_since < now() - make_interval(days => ${FAILING_DAYS})
            then ${`Every try has failed for ${FAILING_DAYS} days, lately with: ${said}`}::text
        end as reason
        from told t join webhook_endpoints e on e.id = t.endpoint_id
      ), noted as (
        update webhook_endpoints e set
          failing_since = case when ${delivered} then null else coalesce(e.failing_since, now()) end,
          enabled = e.enabled and j.reason is null,
          disabled_reason = case when e.enabled then j.reason else e.disabled_reason end,
          updated_at = case when e.enabled and j.reason is not null then now() else e.updated_at end
        from judged j
        where e.id = j.id and (
          case when ${delivered} then e.failing_since is not null else e.failing_since is null end
          or (e.enabled and j.reason is not null))
        returning case when e.enabled then null else j.reason end as disabled
      )
      select exists (select from told) as recorded, (select disabled from noted) as disabled`),
  )
  return rows[0] ?? { recorded: false, disabled: null }
}
