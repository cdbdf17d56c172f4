// What tests of webhooks share: mails of ours that news can be about, what follows for them, and a world that is watched.
import { env, exports } from 'cloudflare:workers'
import { frozenCampaign } from '../support/campaign.ts'
import type { Told } from '../support/ses-events.ts'
import type { TestWorker } from '../support/worker.ts'
import { type Answer, ORIGIN, type ProblemBody } from './client.ts'

/** Mails of one campaign that was sent. */
export async function sentMails(worker: TestWorker, size: number): Promise<Told[]> {
  const { campaign_id } = await frozenCampaign(worker, size)
  await worker.sql(`update deliveries set state = 'sent', lease_token = gen_random_uuid() where campaign_id = $1`, [
    campaign_id,
  ])
  await worker.sql('update batches set sent = open, open = 0 where campaign_id = $1', [campaign_id])
  const rows = await worker.sql<{ id: number; email: string }>(
    `select s.id::int as id, s.email from deliveries d join subscribers s on s.id = d.subscriber_id
     where d.campaign_id = $1 order by s.id`,
    [campaign_id],
  )
  return rows.map(({ id, email }) => ({ campaign_id, subscriber_id: id, email }))
}

/** The subscriber's status, the address's suppression, and the kinds of events that are kept. */
export async function consequences(worker: TestWorker, { campaign_id, subscriber_id }: Told) {
  const [row] = await worker.sql<{ status: string; suppressed: string | null; kinds: string[] }>(
    `select s.status, (select reason from suppressions where value = lower(s.email)) as suppressed,
       (select coalesce(json_agg(kind order by kind), '[]') from feedback_events f
         where f.campaign_id = $1 and f.subscriber_id = s.id and f.matched) as kinds
     from subscribers s where s.id = $2`,
    [campaign_id, subscriber_id],
  )
  return row
}

export async function post<Body = ProblemBody>(
  path: string,
  body: BodyInit | null,
  headers: Record<string, string>,
): Promise<Answer<Body>> {
  const init = { method: 'POST', body, headers, ...(body instanceof ReadableStream ? { duplex: 'half' } : {}) }
  const response = await exports.default.fetch(ORIGIN + path, init as RequestInit)
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body }
}

/**
 * Addresses outside that answer, and every address that was asked for, the database's among them. Not Redis: after each call
 * that went well it is asked whether anybody waits to be told of something, at a time of its own.
 */
export function watchedWorld() {
  const reach = globalThis.fetch
  const answers = new Map<string, (init: RequestInit | undefined) => Response | Promise<Response>>()
  const asked: string[] = []
  globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    if (!url.startsWith(env.UPSTASH_REDIS_REST_URL)) asked.push(url)
    const answer = answers.get(url)
    return answer ? answer(init) : reach(input, init)
  }
  return {
    answers,
    asked,
    /** Those at Amazon. */
    amazon: () => asked.filter((url) => url.includes('amazonaws')),
    close() {
      globalThis.fetch = reach
    },
  }
}

/** A body without Content-Length that never ends by itself; `pulled` counts its chunks of 64 KB. */
export function endless(chunk = new Uint8Array(65_536).fill(32)) {
  const count = { pulled: 0, cancelled: false }
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (++count.pulled > 10_000) throw new Error('nobody stopped reading')
      controller.enqueue(chunk)
    },
    cancel() {
      count.cancelled = true
    },
  })
  return { body, count }
}
