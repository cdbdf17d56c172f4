// A million subscribers frozen into batches and enqueued through emk-dispatch. emk-sender sends nothing (SENDING=off): it
// reads each pointer and postpones its batch, which goes on beside the freeze and shows that every pointer came.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Kit, startKit } from '../kit.ts'
import { type Findings, median, spread } from '../result.ts'
import type { Options } from '../run.ts'

/** No page and no pointer for so long: it will not end any more. In ms. */
const STANDSTILL = 60_000
/** How often memory and progress are looked at, in ms. */
const LOOK = 250
/** A new batch is due after 15 minutes, one whose pointer was read after one. In seconds. */
const READ_BY = 300
/** Ends the statement by which emk-dispatch takes the next batches to enqueue (src/ledger/pointers.ts); the last finds none. */
const POINTERS = 'select n from moved order by n'

const ACCOUNT = { name: 'nobody', kind: 'smtp', host: '127.0.0.1', port: 2525, tls: 'none' }

/** Times in seconds from `POST /send`. */
interface Run {
  frozen: number
  enqueued: number
  read: number
  /** In megabytes: before, and the highest in each quarter of the run; empty where it cannot be told. */
  memory: number[]
  statements: number
}

export async function benchDispatch({ recipients, rounds, say }: Options): Promise<Findings> {
  const dir = mkdtempSync(join(tmpdir(), 'emk-bench-'))
  const ends: (() => Promise<void> | void)[] = []
  try {
    say('starting the stack')
    let enqueued_at = 0
    const heard = (query: string) => {
      if (query.endsWith(POINTERS)) enqueued_at = Date.now()
    }
    const kit = await startKit(join(dir, 'stack'), ACCOUNT, { vars: { SENDING: 'off' }, heard })
    ends.push(kit.stop)
    say(`making ${recipients} subscribers`)
    const list_id = await populate(kit, recipients)
    const runs: Run[] = []
    const plain: number[] = []
    say('warming up')
    await dispatch(kit, list_id, recipients, () => enqueued_at)
    for (let round = 1; round <= rounds; round++) {
      const run = await dispatch(kit, list_id, recipients, () => enqueued_at)
      runs.push(run)
      plain.push(await plainInsert(kit, list_id, recipients))
      say(
        `round ${round}: frozen ${run.frozen.toFixed(1)} s, enqueued ${run.enqueued.toFixed(1)} s, read ${run.read.toFixed(1)} s, plain ${plain.at(-1)?.toFixed(1)} s, memory ${run.memory.map((mb) => Math.round(mb)).join(' ')} MB, ${run.statements} statements`,
      )
    }
    ends.unshift(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }))
    return findings(runs, plain, recipients, rounds)
  } catch (error) {
    say(`the Workers' log and all data are left in ${dir}`)
    throw error
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

/** As an import leaves them: each with a consent, on a list. */
async function populate(kit: Kit, count: number): Promise<number> {
  const { rows } = await kit.sql<{ id: number }>(
    `insert into mailing_lists (name) values ('all') returning id::int as id`,
  )
  const list_id = rows[0]?.id ?? 0
  await kit.sql(
    `with people as (
      insert into subscribers (email, first_name, last_name, attributes, timezone)
      select 'reader' || n || '@domain' || n % 500 || '.example', 'Ada', 'Reader', jsonb_build_object('plan', 'free', 'seats', n % 9), 'Europe/London'
      from generate_series(1, $1::int) n returning id
    ), members as (
      insert into list_members (list_id, subscriber_id, consented_at, consent_source) select $2, id, now(), 'sign-up' from people
    )
    insert into consents (subscriber_id, list_id, action, source) select id, $2, 'subscribed', 'sign-up' from people`,
    [count, list_id],
  )
  await kit.sql('vacuum analyze')
  return list_id
}

async function dispatch(kit: Kit, list_id: number, recipients: number, enqueuedAt: () => number): Promise<Run> {
  await kit.sql('truncate deliveries, batches')
  await kit.sql('checkpoint')
  const campaign = await kit.campaignTo(list_id)
  const samples: { at: number; mb: number }[] = []
  const look = () => {
    const resident = kit.usage()?.resident
    if (resident !== undefined) samples.push({ at: Date.now(), mb: resident / 1e6 })
  }
  look()
  const statements = kit.statements()
  const began = Date.now()
  await campaign.send()
  let seen = ''
  for (let moved = Date.now(); ; await sleep(LOOK)) {
    look()
    const { rows } = await kit.sql<{ frozen_to: string; open: number; frozen: number | null }>(
      `select frozen_to, extract(epoch from frozen_at - to_timestamp($2))::float8 as frozen,
          (select count(*)::int from batches where campaign_id = c.id and due_at > now() + make_interval(secs => ${READ_BY})) as open
        from campaigns c where id = $1`,
      [campaign.id, began / 1000],
    )
    const [now] = rows
    if (!now) throw new Error('the campaign is gone')
    if (now.frozen !== null && now.open === 0) {
      await check(kit, campaign.id, recipients)
      const read = (Date.now() - began) / 1000
      const enqueued = (enqueuedAt() - began) / 1000
      if (!(enqueued > 0)) throw new Error('no statement took batches to enqueue')
      return {
        frozen: now.frozen,
        enqueued,
        read,
        memory: quarters(samples),
        statements: kit.statements() - statements,
      }
    }
    const standing = JSON.stringify(now)
    if (standing !== seen) moved = Date.now()
    seen = standing
    if (Date.now() - moved > STANDSTILL) throw new Error(`it stands still at ${standing}`)
  }
}

/** @throws when other than each recipient once is in the ledger, in full batches */
async function check(kit: Kit, id: number, recipients: number): Promise<void> {
  const { rows } = await kit.sql<{ deliveries: number; batches: number; size: number }>(
    `select (select count(*)::int from deliveries where campaign_id = $1) as deliveries,
        count(*)::int as batches, sum(size)::int as size from batches where campaign_id = $1`,
    [id],
  )
  const { deliveries, batches, size } = rows[0] ?? { deliveries: 0, batches: 0, size: 0 }
  if (deliveries === recipients && size === recipients && batches === Math.ceil(recipients / 100)) return
  throw new Error(`${recipients} recipients became ${deliveries} deliveries in ${batches} batches of ${size} in all`)
}

function quarters(samples: readonly { at: number; mb: number }[]): number[] {
  const [first] = samples
  const last = samples.at(-1)
  if (!first || !last) return []
  const highest = (quarter: number) => {
    const within = samples.filter(({ at }) => {
      const share = (at - first.at) / Math.max(last.at - first.at, 1)
      return share >= quarter / 4 && share <= (quarter + 1) / 4
    })
    return Math.max(...within.map(({ mb }) => mb))
  }
  return [first.mb, ...[0, 1, 2, 3].map(highest)]
}

/** The same rows by one plain statement: what Postgres needs for them at least. In seconds. */
async function plainInsert(kit: Kit, list_id: number, recipients: number): Promise<number> {
  await kit.sql('truncate deliveries, batches')
  await kit.sql('checkpoint')
  const began = Date.now()
  const { rowCount } = await kit.sql(
    `insert into deliveries (campaign_id, subscriber_id, batch)
      select 1, subscriber_id, (row_number() over (order by subscriber_id) - 1) / 100
      from list_members where list_id = $1 and status = 'subscribed'`,
    [list_id],
  )
  if (rowCount !== recipients) throw new Error(`the plain statement wrote ${rowCount} rows`)
  return (Date.now() - began) / 1000
}

function findings(runs: readonly Run[], plain: readonly number[], recipients: number, rounds: number): Findings {
  const of = (what: (run: Run) => number) => median(runs.map(what))
  const enqueued = of((run) => run.enqueued)
  const memory = [0, 1, 2, 3, 4].map((n) => of((run) => run.memory[n] ?? Number.NaN))
  const names = ['before', 'first quarter', 'second', 'third', 'last']
  return {
    rows: [
      { name: 'frozen', value: of((run) => run.frozen), unit: 's' },
      { name: 'frozen and enqueued', value: enqueued, unit: 's' },
      { name: 'every pointer read by emk-sender', value: of((run) => run.read), unit: 's' },
      { name: 'limit: one INSERT ... SELECT of the deliveries', value: median(plain), unit: 's' },
      ...memory
        .map((value, n) => ({ name: `memory of workerd, ${names[n]}`, value, unit: 'MB' }))
        .filter(({ value }) => !Number.isNaN(value)),
      { name: 'SQL', value: of((run) => run.statements), unit: 'statements' },
    ],
    ratios: { vs_limit: median(plain) / enqueued },
    notes: [
      `${recipients} recipients, from POST /send; median of ${rounds} rounds, each on an empty ledger. SENDING=off: the Workers freeze, enqueue, read each pointer and postpone its batch (one statement a batch), all in one workerd.`,
      'Memory: the highest resident size of that workerd in each quarter of the run. It collects its garbage late: an uncounted run before has brought it to where it stays.',
      `Spread of the rounds (largest less smallest): ours ${Math.round(spread(runs.map((run) => run.enqueued)) * 100)} %, plain ${Math.round(spread(plain) * 100)} %.`,
    ],
  }
}
