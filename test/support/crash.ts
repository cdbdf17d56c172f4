// A campaign to which everything happens: its Workers are killed at random moments, what they stand on goes away, the
// mail server has bad days. What must hold afterwards is the delivery contract; the server's own journal is the witness.
//
// Time is the one thing that is not real: the ledger's long waits (pointers that must be lost after a quarter of an hour,
// retries after minutes) pass sixty times as fast, by moving its dates nearer from outside. Leases and deadlines, which
// senders measure by their own clock, are left alone; SEND_SETTINGS makes them short.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../local/ports.ts'
import { startTicker } from '../../local/ticker.ts'
import { startWorkers, type Workers } from '../../local/workers.ts'
import { type Api, openApi } from '../../scripts/import/api.ts'
import { judgeCrash, type LedgerRow } from './crash-verdict.ts'
import { SES_FAULTS, startJournalSes } from './journal-ses.ts'
import { SMTP_FAULTS, startJournalSmtp } from './journal-smtp.ts'
import { MailJournal, Pace } from './mail-journal.ts'
import { dealFaults, seededRandom } from './random.ts'
import { SES_KEY, SES_SECRET } from './ses-endpoint.ts'

/** Rows marked together, and connections of the account: so many rows at most are in doubt when a sender dies. */
export const GROUP = 2
export const CONNECTIONS = 4
const SEND_SETTINGS = { group_size: GROUP, group_seconds: 5, lease_seconds: 6, run_seconds: 60 }

/** Mails a second that the account allows itself: no hindrance, even after being throttled. */
const RATE = 400

/** Seconds of the ledger's time that pass in one of ours. */
const HASTE = 60
/** After a start all pointers that the dead queue held are due by then, in seconds of the ledger's time. */
const ALL_DUE = 1900
/** The campaign comes to a standstill when nothing is taken for so long, in ms. */
const PATIENCE = 180_000
/** Kills and outages happen before this share of the mails is taken: some are never taken. */
const LAST = 0.9

/** What the Workers stand on. */
export interface Ground {
  /** Empty; for the Workers' state and the journal. */
  dir: string
  /** Vars and secrets of the Workers. Their ways to Postgres and Redis can be cut. */
  bindings: Record<string, string>
  api_key: string
  /** Reaches Postgres also while its cable is cut. */
  sql<Row>(text: string, params?: unknown[]): Promise<Row[]>
  /** Cuts of a cable: everything behind it goes on. */
  cuts: Outage[]
  /** Servers that go away. */
  deaths: Outage[]
}

export interface Outage {
  name: string
  begin(): Promise<void> | void
  end(): Promise<void> | void
}

export interface CrashOptions {
  provider: 'smtp' | 'ses'
  recipients: number
  kills: number
  outages: number
  /** Longest outage, in ms; the shortest is a quarter of it. */
  outage_ms: number
  /** Mails a second that the mail server takes: so long the senders are in the middle of things. */
  pace: number
  seed: number
  /** Hears what happens. */
  say: (line: string) => void
}

export interface CrashReport {
  lost: number
  doubled: number
  unconfirmed: number
  sent: number
  failed: number
  kills: number
  /** Those that came while rows were `sending`. */
  kills_in_flight: number
  /** Mails whose answer the server kept back on purpose. */
  unanswered: number
  /** Times the owner had to resume the campaign. */
  resumed: number
  seconds: number
  /** What the mail server did, and how often. */
  struck: Record<string, number>
  /** Everything that breaks the contract, a sentence each. */
  faults: string[]
}

/** Something that happens once so many mails are taken, and `jitter` ms. */
type Event = { at: number; jitter: number } & (
  | { kind: 'kill'; during: Outage | null }
  | { kind: 'outage'; outage: Outage; ms: number }
)

export async function runCrash(ground: Ground, options: CrashOptions): Promise<CrashReport> {
  const { provider, recipients, pace: mails_per_second, seed, say } = options
  const random = seededRandom(seed)
  const emails = Array.from({ length: recipients }, (_, nth) => `reader-${nth}@journal.example`)
  const journal = new MailJournal(join(ground.dir, 'journal.jsonl'))
  const pace = new Pace(mails_per_second)
  const account = await startProvider(provider, emails, journal, pace, random)
  const schedule = plan(ground, options, random)

  const port = await freePort()
  const api_url = `http://127.0.0.1:${port}`
  const api = openApi(api_url, ground.api_key)
  const installation = new Installation(ground, port, account.settings)
  const ticker = startTicker(api_url, 1, () => undefined)
  const time = startTime(ground)
  const faults: string[] = []
  let kills_in_flight = 0
  let resumed = 0
  try {
    await installation.start()
    const campaign_id = await prepare(api, emails)
    const status = async () => {
      const query = 'select status, status_reason from campaigns where id = $1'
      const [campaign] = await ground.sql<{ status: string; status_reason: string | null }>(query, [campaign_id])
      if (campaign?.status === 'paused') {
        say(`paused: ${campaign.status_reason}`)
        await api.post(`/campaigns/${campaign_id}/resume`, undefined)
        resumed++
      }
      return campaign?.status
    }
    const standstill = async () => {
      const query = `select b.n, b.open, b.lease_until, b.due_at, now(), array(select d.state || ' ' || coalesce(d.reason, '')
          from deliveries d where d.campaign_id = b.campaign_id and d.batch = b.n and d.state in ('pending', 'deferred', 'sending')) as rows
        from batches b where b.campaign_id = $1 and b.open > 0 limit 5`
      const open = JSON.stringify(await ground.sql(query, [campaign_id]))
      return new Error(`${journal.taken} mails were taken, then none for ${PATIENCE / 1000} s; open: ${open}`)
    }
    const until = async (ready: () => Promise<boolean> | boolean) => {
      let taken = -1
      let end = 0
      for (let look = 0; !(await ready()); look++) {
        if (journal.taken !== taken) {
          taken = journal.taken
          end = Date.now() + PATIENCE
        } else if (Date.now() > end) throw await standstill()
        if (look % 50 === 49) await status()
        await sleep(20)
      }
    }

    const began = Date.now()
    await api.post(`/campaigns/${campaign_id}/send`, undefined)
    for (const event of schedule) {
      await until(() => journal.taken >= event.at)
      await sleep(event.jitter)
      if (event.kind === 'outage') {
        say(`${journal.taken} taken: ${event.outage.name} for ${event.ms} ms`)
        await event.outage.begin()
        await sleep(event.ms)
        await event.outage.end()
        continue
      }
      await event.during?.begin()
      if (event.during) await sleep(500)
      const sending = (await installation.sending()).reduce((sum, { rows }) => sum + rows, 0)
      await installation.kill()
      const groups = await installation.sending()
      if (sending > 0) kills_in_flight++
      if (groups.length > CONNECTIONS || groups.some(({ rows }) => rows > GROUP)) {
        faults.push(`a kill left more than a group per connection: ${JSON.stringify(groups)}`)
      }
      say(
        `${journal.taken} taken: killed with ${sending} rows sending${event.during ? ` and ${event.during.name}` : ''}`,
      )
      await event.during?.end()
      await installation.start()
      await time.pass(ALL_DUE)
    }
    await until(async () => (await status()) === 'sent')
    const seconds = (Date.now() - began) / 1000
    // Whoever would still be mailed is mailed now.
    for (let day = 0; day < 2; day++) {
      await time.pass(86_400)
      await ticker.tick()
    }
    await until(() => pace.idle)
    const { deliveries } = await api.get<{ deliveries: Record<string, number> }>(`/campaigns/${campaign_id}`)
    await installation.kill()

    const rows = await ground.sql<LedgerRow>(
      `select d.subscriber_id::float8 as subscriber_id, s.email, d.state
       from deliveries d join subscribers s on s.id = d.subscriber_id where d.campaign_id = $1`,
      [campaign_id],
    )
    const verdict = judgeCrash(campaign_id, emails, rows, journal.lines())
    const { sent = 0, failed = 0, unconfirmed = 0 } = verdict.states
    faults.push(...verdict.faults, ...(await miscounted(ground, campaign_id)))
    for (const [state, told] of Object.entries({ ...deliveries, audience: undefined })) {
      if (told !== undefined && told !== (verdict.states[state] ?? 0)) faults.push(`the API tells of ${told} ${state}`)
    }
    if (deliveries.audience !== recipients) faults.push(`the API tells of an audience of ${deliveries.audience}`)
    const excused = options.kills * CONNECTIONS * GROUP + journal.unanswered
    if (unconfirmed > excused) faults.push(`${unconfirmed} unconfirmed, where at most ${excused} can be explained`)
    if (unconfirmed >= recipients / 20) faults.push(`${unconfirmed} unconfirmed are not under 5 %`)
    return {
      ...{ lost: verdict.lost, doubled: verdict.doubled, unconfirmed, sent, failed },
      ...{ kills: options.kills, kills_in_flight, unanswered: journal.unanswered, resumed, seconds },
      ...{ struck: journal.struck, faults },
    }
  } finally {
    await time.stop()
    await ticker.stop()
    await installation.kill()
    await account.close()
  }
}

/** Kills and outages, each in a stretch of its own of the campaign; one kill in five during an outage, the first at once. */
function plan(ground: Ground, { recipients, kills, outages, outage_ms }: CrashOptions, random: () => number): Event[] {
  const pick = (of: Outage[]) => of[Math.floor(random() * of.length)] ?? null
  const moment = (nth: number, of: number) => ({
    at: Math.floor(((nth + random()) / of) * recipients * LAST),
    jitter: Math.floor(random() * 300),
  })
  const events: Event[] = []
  for (let nth = 0; nth < kills; nth++) {
    const when = moment(nth, kills)
    const during = nth % 5 === 2 ? pick(ground.cuts) : null
    events.push({ ...when, ...(nth === 0 && kills > 4 ? { at: 0 } : {}), kind: 'kill', during })
  }
  for (let nth = 0; nth < outages; nth++) {
    // Each in its turn, so that a short run has them all.
    const all = [...ground.cuts, ...ground.deaths]
    const outage = all[nth % all.length]
    if (outage)
      events.push({
        ...moment(nth, outages),
        kind: 'outage',
        outage,
        ms: Math.floor((outage_ms * (1 + 3 * random())) / 4),
      })
  }
  return events.sort((a, b) => a.at - b.at)
}

/** The three Workers, started and killed. */
class Installation {
  readonly #ground: Ground
  readonly #port: number
  readonly #settings: Record<string, string>
  #workers: Workers | null = null
  /** Postgres' time at the last start. */
  #born = ''

  constructor(ground: Ground, port: number, settings: Record<string, string>) {
    this.#ground = ground
    this.#port = port
    this.#settings = settings
  }

  async start(): Promise<void> {
    const url = `http://127.0.0.1:${this.#port}`
    const [now] = await this.#ground.sql<{ now: string }>('select now()::text as now')
    this.#born = now?.now ?? ''
    this.#workers = await startWorkers({
      dir: this.#ground.dir,
      port: this.#port,
      settings: {
        ...this.#ground.bindings,
        PUBLIC_URL: url,
        TRACKING_URL: url,
        SEND_SETTINGS: JSON.stringify(SEND_SETTINGS),
        ...this.#settings,
      },
    })
  }

  /** kill -9 of the whole process group: what the queues held is gone. */
  async kill(): Promise<void> {
    if (!this.#workers) return
    process.kill(-this.#workers.pid, 'SIGKILL')
    await this.#workers.stop()
    this.#workers = null
  }

  /** The groups that these Workers, not those before them, have under way. */
  sending(): Promise<{ batch: number; rows: number }[]> {
    return this.#ground.sql(
      `select batch, count(*)::int as rows from deliveries where state = 'sending' and updated_at > $1::timestamptz
       group by batch, lease_token, group_no`,
      [this.#born],
    )
  }
}

async function startProvider(
  provider: CrashOptions['provider'],
  emails: string[],
  journal: MailJournal,
  pace: Pace,
  random: () => number,
): Promise<{ settings: Record<string, string>; close: () => Promise<void> }> {
  if (provider === 'smtp') {
    const server = await startJournalSmtp(journal, pace, dealFaults(emails, SMTP_FAULTS, random))
    const account = { name: 'journal', kind: 'smtp', host: '127.0.0.1', port: server.port, tls: 'none' }
    const ACCOUNTS = JSON.stringify([{ ...account, max_connections: CONNECTIONS, rate_per_second: RATE }])
    return { settings: { ACCOUNTS }, close: server.close }
  }
  const endpoint = await startJournalSes(journal, pace, dealFaults(emails, SES_FAULTS, random))
  const keys = { access_key_id: SES_KEY, secret_access_key: SES_SECRET }
  const account = { name: 'journal', kind: 'ses', region: 'eu-central-1', endpoint: endpoint.url, ...keys }
  return { settings: { ACCOUNTS: JSON.stringify([account]) }, close: endpoint.stop }
}

async function prepare(api: Api, emails: string[]): Promise<number> {
  const list = await api.post<{ id: number }>('/lists', { name: 'Everybody' })
  const consent = { list_ids: [list.id], consented_at: '2026-01-01T00:00:00Z', consent_source: 'test' }
  for (let at = 0; at < emails.length; at += 500) {
    const subscribers = emails.slice(at, at + 500).map((email) => ({ email, first_name: 'Ada', ...consent }))
    await api.post('/subscribers/bulk', { subscribers })
  }
  const sender = await api.post<{ id: number }>('/senders', {
    name: 'Acme',
    from_name: 'Acme',
    from_email: 'news@acme.example',
    postal_address: 'Acme, 1 Main Street, Springfield',
  })
  const template = await api.post<{ id: number }>('/templates', {
    name: 'News',
    format: 'html',
    source: `<p>Hello {{first_name}} <a href="https://example.com/a">read</a></p>
<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a></p>`,
  })
  const campaign = await api.post<{ id: number }>('/campaigns', {
    name: 'News',
    subject: 'Hello',
    template_id: template.id,
    sender_id: sender.id,
    audience: { include: [list.id] },
  })
  return campaign.id
}

/** Has the ledger's time pass: all its dates come nearer, except leases, which senders hold by their own clock. */
function startTime({ sql }: Ground) {
  // In the order in which the ledger locks them.
  const pass = async (seconds: number) => {
    await sql(
      `with open as materialized (select campaign_id, n from batches where open > 0 order by campaign_id, n for update)
       update batches b set due_at = b.due_at - make_interval(secs => $1)
       from open o where b.campaign_id = o.campaign_id and b.n = o.n`,
      [seconds],
    )
    await sql(
      `with waiting as materialized (select campaign_id, subscriber_id from deliveries where state = 'deferred'
         order by campaign_id, subscriber_id for update)
       update deliveries d set next_attempt_at = d.next_attempt_at - make_interval(secs => $1)
       from waiting w where d.campaign_id = w.campaign_id and d.subscriber_id = w.subscriber_id`,
      [seconds],
    )
    await sql(
      `update campaigns set updated_at = updated_at - make_interval(secs => $1)
       where status = 'sending' and frozen_at is null`,
      [seconds],
    )
  }
  const over = new AbortController()
  const flow = (async () => {
    while (!over.signal.aborted) {
      await sleep(1000, undefined, { signal: over.signal }).catch(() => undefined)
      // Postgres may be away just now.
      await pass(HASTE).catch(() => undefined)
    }
  })()
  return {
    pass,
    async stop() {
      over.abort()
      await flow
    },
  }
}

/** Batches whose counters say other than their rows. */
async function miscounted({ sql }: Ground, campaign_id: number): Promise<string[]> {
  const wrong = await sql<{ n: number }>(
    `select b.n from batches b join lateral (
       select count(*) as size, count(*) filter (where state in ('pending', 'sending', 'deferred')) as open,
         count(*) filter (where state = 'sent') as sent, count(*) filter (where state = 'failed') as failed,
         count(*) filter (where state = 'skipped') as skipped, count(*) filter (where state = 'unconfirmed') as unconfirmed
       from deliveries d where d.campaign_id = b.campaign_id and d.batch = b.n) r on true
     where b.campaign_id = $1 and (b.size, b.open, b.sent, b.failed, b.skipped, b.unconfirmed)
       is distinct from (r.size, r.open, r.sent, r.failed, r.skipped, r.unconfirmed)`,
    [campaign_id],
  )
  return wrong.map(({ n }) => `batch ${n} counts other than its rows`)
}
