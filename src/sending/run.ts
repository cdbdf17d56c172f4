import { noteCampaign } from '../campaigns/transitions.ts'
import type { FeedbackEvent } from '../feedback/event.ts'
import { type ClaimedRow, claimBatch } from '../ledger/claim.ts'
import { completeCampaign } from '../ledger/complete.ts'
import { postponeBatch } from '../ledger/postpone.ts'
import { type Advance, type Advanced, advance, releaseBatch, type Verdict } from '../ledger/record.ts'
import { log } from '../log.ts'
import { type Connection, ConnectionRefused, type Outcome } from '../providers/provider.ts'
import { MAX_QUEUE_DELAY } from './backoff.ts'
import type { LoadedCampaign } from './campaign.ts'
import { asFailedConnection, SILENT, stopOf, tally } from './health.ts'
import type { Permit, Report } from './permit.ts'
import { Preparation, type Ready } from './prepare.ts'
import { refusalNews } from './refusals.ts'
import { ACK, type Answer, COME_BACK, type Invocation, type Sender, type SendingAccount } from './sender.ts'
import { handOn, hold, judge, putBack, skip } from './verdict.ts'

/** How a claim ended: what the queue is told, and what the account answered if it refuses us. */
export interface Ended {
  answer: Answer
  stop: string | null
}

const NO_OUTCOME: Outcome = { kind: 'unknown', answer: 'the provider gave no outcome' }

/** One claim of one batch, from lease to release. */
export class BatchRun {
  readonly #s: Sender
  readonly #campaign: LoadedCampaign
  readonly #account: SendingAccount
  readonly #batch: number
  readonly #permit: Permit | null
  readonly #invocation: Invocation
  readonly #token: string
  /** What is known and not yet recorded. */
  #verdicts: Verdict[] = []
  /** What the account answered that no other mail would escape. */
  #stop: string | null = null
  #connection: Connection | null = null
  /** Ms at which the permit ends unless it is extended. */
  #permit_ends = 0
  /** What the gate is told in the end. */
  readonly report: Report = {
    used: 0,
    sent: 0,
    silent: 0,
    throttled: 0,
    throttled_seconds: null,
    stop: null,
    trouble: null,
  }
  /** Mails of this claim that failed for good. */
  failed = 0
  /** What their answers say of addresses, and of us. */
  readonly refusals: FeedbackEvent[] = []

  /** @param permit - null when nothing is to be sent, only to be settled */
  constructor(
    s: Sender,
    campaign: LoadedCampaign,
    account: SendingAccount,
    batch: number,
    permit: Permit | null,
    invocation: Invocation,
  ) {
    this.#s = s
    this.#campaign = campaign
    this.#account = account
    this.#batch = batch
    this.#permit = permit
    this.#invocation = invocation
    this.#token = s.uuid()
    if (permit) this.#permit_ends = s.now().getTime() + permit.starts_in_ms + s.settings.lease_seconds * 1000
  }

  async send(attempts: number): Promise<Ended> {
    const { db, settings } = this.#s
    const campaign_id = this.#campaign.id
    const claim = await claimBatch(db, {
      campaign_id,
      batch: this.#batch,
      token: this.#token,
      lease_seconds: settings.lease_seconds,
    })
    if (!claim.claimed) {
      if (claim.why === 'done') await completeCampaign(db, campaign_id)
      if (claim.why === 'halted') await postponeBatch(db, campaign_id, this.#batch, COME_BACK)
      return { answer: ACK, stop: null }
    }
    const due = claim.rows.slice(0, this.#permit?.mails ?? 0)
    let mails: Preparation | null = null
    let wait = 0
    let failure: unknown = null
    try {
      const rows = await this.#withoutOptouts(due)
      if (rows) {
        mails = new Preparation(this.#s, this.#campaign, this.#account, rows, claim.size)
        await this.#sendMails(mails)
      } else wait = COME_BACK
    } catch (error) {
      failure = error
    } finally {
      await this.#connection?.close()
    }
    if (failure instanceof ConnectionRefused) wait = this.#refused(failure, attempts)
    // Lost before it took anything: what was not offered is due at once, but the server needs a moment.
    else if (this.report.silent > 0 && this.report.sent === 0) wait = Math.min(COME_BACK * attempts, 900)
    // First of all what became of the mails: nothing that fails below may keep it from the ledger.
    const answer = await this.#release(wait)
    if (failure instanceof ConnectionRefused && failure.outcome.kind === 'later') {
      await noteCampaign(db, campaign_id, `Account ${this.#account.name}: ${failure.outcome.answer}`)
    } else if (failure !== null && !(failure instanceof ConnectionRefused)) throw failure
    // After the release: a campaign that ends with this batch has nothing left to pause.
    await mails?.pauseIfSpoilt(this.#batch)
    // A pointer that found nothing due is one too many: another waits for these rows, or the sweep sends one.
    return { answer: due.length > 0 ? answer : ACK, stop: this.#stop }
  }

  /** Decides the rows that are not to be sent now. Null when nobody can say who has just unsubscribed. */
  async #withoutOptouts(rows: ClaimedRow[]): Promise<ClaimedRow[] | null> {
    const wanted = rows.filter((row) => {
      const reason = row.skip ?? (this.#s.allowlist(row.email) ? null : 'not_in_allowlist')
      if (reason) this.#verdicts.push(skip(row, reason))
      return !reason
    })
    if (wanted.length === 0) return wanted
    const optouts = await this.#s.optoutsOf(wanted.map((row) => row.subscriber_id)).catch(() => null)
    if (!optouts) return null
    return wanted.filter((row) => {
      const held = (optouts.get(row.subscriber_id) ?? 0) > row.known_optout_at
      if (held) this.#verdicts.push(hold(row))
      return !held
    })
  }

  async #sendMails(mails: Preparation): Promise<void> {
    const { settings, now, sleep } = this.#s
    const rate = this.#permit?.rate_per_second ?? null
    const size = rate ? Math.max(1, Math.min(settings.group_size, Math.floor(rate))) : settings.group_size
    let next_at = 0
    let group = await mails.next(size, this.#verdicts)
    for (let group_no = 0; group.length > 0 && !mails.spoilt; group_no++) {
      const connection = await this.#connected()
      if (rate) {
        await sleep(next_at - now().getTime())
        // From when it really is: what was slow is not made up for by a burst.
        next_at = now().getTime() + (group.length / rate) * 1000
      }
      if (now().getTime() > this.#invocation.started + settings.run_seconds * 1000) break
      if (!(await this.#permitted())) break
      const asked_at = now().getTime()
      const { marked, held } = await this.#advance(group_no, group)
      const set = new Set(marked)
      // A mark whose answer was lost may have marked rows that its repeat, after a pause, does not: they go back. A row that
      // is not marked by this claim stays as it is.
      this.#verdicts.push(...group.filter(({ row }) => !set.has(row.subscriber_id)).map(({ row }) => putBack(row)))
      if (!held || marked.length === 0) break
      const going = group.filter(({ row }) => set.has(row.subscriber_id))
      // The lease runs from the mark at the latest, and nothing may be on the wire when it ends: somebody else may have
      // the batch then. Whoever was stopped for that long in between puts the group back.
      const deadline = asked_at + settings.group_seconds * 1000
      if (now().getTime() >= deadline) {
        this.#verdicts.push(...going.map(({ row }) => putBack(row)))
        break
      }
      this.report.used += going.length
      // The next group is rendered while this one is on the wire; nothing but the provider is waited for.
      const next = mails.next(size, this.#verdicts)
      // If that fails, it does so below, after the outcomes are known.
      next.catch(() => undefined)
      const outcomes = await connection.send(
        going.map(({ prepared }) => prepared),
        deadline,
      )
      this.#judge(going, outcomes)
      if (this.#stop !== null || this.report.silent >= SILENT) break
      group = await next
    }
  }

  /** What became of a group: a verdict on each row, and what it says of the account. */
  #judge(going: readonly Ready[], given: readonly Outcome[]): void {
    const outcomes = going.map((_, i) => given[i] ?? NO_OUTCOME)
    this.#stop = stopOf(outcomes)
    tally(this.report, outcomes, this.#stop)
    going.forEach(({ row }, i) => {
      const outcome = outcomes[i] ?? NO_OUTCOME
      const blamed = this.#stop !== null && outcome.kind === 'never' && outcome.policy
      const verdict = (blamed ? handOn : judge)(row, outcome, this.#s.random())
      if (verdict.state === 'failed') this.failed++
      this.#verdicts.push(verdict)
      const news = refusalNews(this.#campaign.id, row.email, verdict, this.#token, this.#s.now())
      if (news) this.refusals.push(news)
    })
  }

  /** Whether the permit still holds; it is extended once a third of it is over. */
  async #permitted(): Promise<boolean> {
    const { gate, now, settings } = this.#s
    const hold_ms = settings.lease_seconds * 1000
    const at = now().getTime()
    if (!this.#permit || at < this.#permit_ends - (hold_ms * 2) / 3) return true
    try {
      if (!(await gate(this.#account.name).extend(this.#permit.id, hold_ms))) return false
      this.#permit_ends = at + hold_ms
    } catch {
      // A gate that cannot be reached: the permit holds as long as it was given for.
    }
    return now().getTime() < this.#permit_ends
  }

  /** An open connection, made anew when the last one can carry no more. */
  async #connected(): Promise<Connection> {
    if (this.#connection?.usable) return this.#connection
    await this.#connection?.close()
    this.#connection = null
    const { slots } = this.#invocation
    this.#connection = await this.#account.provider.connect(slots, this.#campaign.snapshot.sender.from_email)
    return this.#connection
  }

  /** Records what is known and marks `group`. */
  async #advance(group_no: number, group: readonly Ready[]): Promise<Advanced> {
    const step: Advance = {
      campaign_id: this.#campaign.id,
      batch: this.#batch,
      token: this.#token,
      lease_seconds: this.#s.settings.lease_seconds,
      account: this.#account.name,
      verdicts: this.#verdicts,
      group_no,
      mark: group.map(({ row }) => row.subscriber_id),
    }
    const done = await this.#persist(() => advance(this.#s.db, step))
    this.#verdicts = []
    return done
  }

  /** What cannot be recorded is tried again as long as this invocation lives. */
  async #persist<T>(statement: () => Promise<T>): Promise<T> {
    const { settings, now, sleep } = this.#s
    const last = this.#invocation.started + settings.run_seconds * 1000 + settings.group_seconds * 2000
    for (let pause = 500; ; pause = Math.min(pause * 2, 15_000)) {
      try {
        return await statement()
      } catch (error) {
        if (now().getTime() > last) throw error
        log('record_retried', { campaign_id: this.#campaign.id, batch: this.#batch, error: nameOf(error) })
        await sleep(pause)
      }
    }
  }

  /** The account cannot be reached (come back later) or refuses us (stop). @returns seconds to wait */
  #refused({ outcome }: ConnectionRefused, attempts: number): number {
    this.#stop = outcome.kind === 'stop' ? outcome.answer : null
    tally(this.report, [asFailedConnection(outcome)], this.#stop)
    if (outcome.kind === 'stop') return 0
    return Math.max(outcome.delay_seconds ?? 0, Math.min(COME_BACK * attempts, 900))
  }

  /** Records what is known and gives the batch back. */
  async #release(wait: number): Promise<Answer> {
    const batch = { campaign_id: this.#campaign.id, batch: this.#batch, token: this.#token }
    const released = await this.#persist(() => releaseBatch(this.#s.db, batch, this.#verdicts))
    this.#verdicts = []
    if (!released) return ACK
    if (released.open === 0) {
      if (released.ending) await completeCampaign(this.#s.db, batch.campaign_id)
      return ACK
    }
    return { retry_seconds: Math.min(Math.max(Math.ceil(released.wait_seconds), wait, 1), MAX_QUEUE_DELAY) }
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown')
