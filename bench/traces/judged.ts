// A trace through the edge's own code and the flush, and what became of each request.
import { sql } from 'drizzle-orm'
import type { Database } from '../../src/db/client.ts'
import { flushEvents } from '../../src/events/flush.ts'
import { readEvent } from '../../src/events/record.ts'
import type { TrackingEvent } from '../../src/tracking/event.ts'
import { VERDICTS, type Verdict } from '../../src/tracking/verdict.ts'
import { lineOf } from './lines.ts'
import { ACTORS, type Actor, MACHINES, PEOPLE, type Request, type Trace } from './trace.ts'

type Counts = Record<Verdict, number>
type Kind = Request['kind']

export interface Judged {
  /** Of each kind of request and each who made them: how many were held to be what. */
  matrix: Record<Kind, Record<Actor, Counts>>
  /** Of clicks called a machine's, the share that was. */
  precision: number
  /** Of machines' clicks, the share called so. */
  recall: number
  /** Of people's clicks, and of all their visits, the share called a machine's. */
  clicks_misjudged: number
  visits_misjudged: number
  /** The reasons given for people's visits called a machine's, and those by whom machines' clicks were missed. */
  wronged: Record<string, number>
  missed: Record<string, number>
}

export const CAMPAIGN = 1

/**
 * Writes the ledger and then the events, in the order in which they came. The database is empty.
 *
 * @param start - when the first mail was sent
 * @param slice - events that are flushed at once
 */
export async function judgeTrace(db: Database, trace: Trace, start: Date, slice: number): Promise<Judged> {
  await writeLedger(db, trace, start)
  const requests = new Map<string, Request>()
  let events: TrackingEvent[] = []
  for (const [n, request] of trace.requests.entries()) {
    const event_id = `visit-${n}`
    requests.set(event_id, request)
    const event = readEvent(lineOf(request, { campaign_id: CAMPAIGN, event_id, start }))
    if (!event) throw new Error(`what the edge made of request ${n} cannot be read: ${JSON.stringify(request)}`)
    events.push(event)
    if (events.length < slice && n < trace.requests.length - 1) continue
    const { inserted } = await flushEvents(db, events)
    if (inserted !== events.length) throw new Error(`${inserted} of ${events.length} events were written`)
    events = []
  }
  return tally(db, requests)
}

const ROWS = 10_000

/** Recipients who exist, and their mails, as sent. */
export async function writeLedger(db: Database, { mails }: Trace, start: Date): Promise<void> {
  for (let from = 0; from < mails.length; from += ROWS) {
    const some = mails.slice(from, from + ROWS)
    const ids = sql`${sql.param(some.map(({ subscriber_id }) => subscriber_id))}::bigint[]`
    const times = sql.param(some.map(({ sent_at }) => new Date(start.getTime() + sent_at).toISOString()))
    await db.batch([
      db.execute(sql`insert into subscribers (id, email) overriding system value
        select id, 'p' || id || '@example.com' from unnest(${ids}) as t (id)`),
      db.execute(sql`insert into deliveries (campaign_id, subscriber_id, batch, state, attempts, sent_at)
        select ${CAMPAIGN}::bigint, id, id / 100, 'sent', 1, sent_at from unnest(${ids}, ${times}::timestamptz[]) as t (id, sent_at)`),
    ])
  }
  // As autovacuum would have by the time readers come.
  await db.execute(sql`analyze deliveries, subscribers`)
}

type Row = { event_id: string; verdict: Verdict; reason: string | null }

async function tally(db: Database, requests: ReadonlyMap<string, Request>): Promise<Judged> {
  const none = () =>
    Object.fromEntries(
      ACTORS.map((actor) => [actor, Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])) as Counts]),
    ) as Record<Actor, Counts>
  const matrix = { open: none(), click: none() }
  const wronged: Record<string, number> = {}
  const missed: Record<string, number> = {}
  let found = 0
  for (let after = ''; ; ) {
    const { rows } = await db.execute<Row>(sql`select event_id, verdict, reason from campaign_events
      where event_id > ${after} order by event_id limit ${ROWS * 5}::int`)
    for (const { event_id, verdict, reason } of rows) {
      const request = requests.get(event_id)
      if (!request) throw new Error(`nobody made ${event_id}`)
      const { kind, by } = request
      matrix[kind][by][verdict]++
      found++
      const count = (all: Record<string, number>, name: string) => {
        all[name] = (all[name] ?? 0) + 1
      }
      if (isPerson(by) && verdict === 'machine') count(wronged, `${kind} ${reason}`)
      if (isMachine(by) && kind === 'click' && verdict !== 'machine') {
        count(missed, `${by} ${request.cf.asn} ${reason ?? 'none'}`)
      }
    }
    const last = rows.at(-1)
    if (!last) break
    after = last.event_id
  }
  if (found !== requests.size) throw new Error(`${found} of ${requests.size} requests are in SQL`)
  const of = (kind: Kind, actors: readonly Actor[], verdicts: readonly Verdict[] = VERDICTS) =>
    actors.reduce((sum, actor) => sum + verdicts.reduce((all, verdict) => all + matrix[kind][actor][verdict], 0), 0)
  const called = of('click', ACTORS, ['machine'])
  const people_called = of('click', PEOPLE, ['machine'])
  return {
    matrix,
    precision: of('click', MACHINES, ['machine']) / called,
    recall: of('click', MACHINES, ['machine']) / of('click', MACHINES),
    clicks_misjudged: people_called / of('click', PEOPLE),
    visits_misjudged: (people_called + of('open', PEOPLE, ['machine'])) / (of('click', PEOPLE) + of('open', PEOPLE)),
    wronged,
    missed,
  }
}

const isPerson = (actor: Actor) => (PEOPLE as readonly Actor[]).includes(actor)
const isMachine = (actor: Actor) => (MACHINES as readonly Actor[]).includes(actor)
