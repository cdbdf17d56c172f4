import { noteCampaign, pauseCampaign } from '../campaigns/transitions.ts'
import { type ClaimedRow, claimBatch } from '../ledger/claim.ts'
import { completeCampaign } from '../ledger/complete.ts'
import { type Advance, type Advanced, advance, type Verdict } from '../ledger/record.ts'
import { postponeBatch, releaseBatch } from '../ledger/release.ts'
import { log } from '../log.ts'
import { type Connection, ConnectionRefused, UnsendableMail } from '../providers/provider.ts'
import { RenderError } from '../render/errors.ts'
import { MAX_QUEUE_DELAY } from './backoff.ts'
import type { LoadedCampaign } from './campaign.ts'
import { composeMail } from './compose.ts'
import { ACK, type Answer, COME_BACK, MENDING, type Sender, type SendingAccount } from './sender.ts'
import { fail, hold, judge, skip } from './verdict.ts'

/** More than this share of a batch that cannot be rendered is no accident of one person's data: the template is at fault. */
const UNRENDERED_SHARE = 0.01

/** A mail ready for the wire, with the row it belongs to. */
interface Ready {
  row: ClaimedRow
  prepared: unknown
}

/** One claim of one batch, from lease to release. */
export class BatchRun {
  readonly #s: Sender
  readonly #campaign: LoadedCampaign
  readonly #account: SendingAccount
  readonly #batch: number
  readonly #started: number
  readonly #token: string
  /** As many may be sent. */
  readonly #mails: number
  /** What is known and not yet recorded. */
  #verdicts: Verdict[] = []
  /** What the account answered that no other mail would escape. */
  #stop: string | null = null
  /** Mails of this claim that could not be rendered, and why the first could not; `allowed` is set by the batch's size. */
  readonly #unrendered = { count: 0, allowed: 0, first: '' }
  #connection: Connection | null = null
  /** Mails handed to the provider. */
  used = 0

  constructor(
    s: Sender,
    campaign: LoadedCampaign,
    account: SendingAccount,
    batch: number,
    started: number,
    mails: number,
  ) {
    this.#s = s
    this.#campaign = campaign
    this.#account = account
    this.#batch = batch
    this.#started = started
    this.#mails = mails
    this.#token = s.uuid()
  }

  async send(attempts: number): Promise<Answer> {
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
      return ACK
    }
    this.#unrendered.allowed = claim.size * UNRENDERED_SHARE
    const due = claim.rows.slice(0, this.#mails)
    let wait = 0
    let failure: unknown = null
    try {
      const rows = await this.#withoutOptouts(due)
      if (rows) await this.#sendRows(rows)
      else wait = COME_BACK
    } catch (error) {
      failure = error
    } finally {
      await this.#connection?.close()
    }
    // First of all what became of the mails: nothing that fails below may keep it from the ledger.
    if (this.#verdicts.length > 0) await this.#advance(-1, [])
    if (this.#stop !== null) await this.#pause(this.#stop)
    if (failure instanceof ConnectionRefused) wait = await this.#refused(failure, attempts)
    else if (failure !== null) throw failure
    // A pointer that comes back may have been the one that could not reach the account: that is over.
    else if (attempts > 1 && this.used > 0) await noteCampaign(db, campaign_id, null)
    const answer = await this.#release(wait)
    // After the release: a campaign that ends with this batch has nothing left to pause.
    if (this.#spoilt) await this.#pauseSpoilt(claim.size)
    // A pointer that found nothing due is one too many: another waits for these rows, or the sweep sends one.
    return due.length > 0 ? answer : ACK
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

  async #sendRows(rows: ClaimedRow[]): Promise<void> {
    const { settings, now, sleep } = this.#s
    const rate = this.#account.limits.rate_per_second
    const size = rate ? Math.max(1, Math.min(settings.group_size, Math.floor(rate))) : settings.group_size
    let next_at = 0
    const waiting = rows.values()
    let group = await this.#prepare(waiting, size)
    for (let group_no = 0; group.length > 0 && !this.#spoilt; group_no++) {
      const connection = await this.#connected()
      if (rate) {
        await sleep(next_at - now().getTime())
        // From when it really is: what was slow is not made up for by a burst.
        next_at = now().getTime() + (group.length / rate) * 1000
      }
      if (now().getTime() > this.#started + settings.run_seconds * 1000) break
      const { marked, held } = await this.#advance(group_no, group)
      if (!held || marked.length === 0) break
      const set = new Set(marked)
      const going = group.filter(({ row }) => set.has(row.subscriber_id))
      this.used += going.length
      // The next group is rendered while this one is on the wire; nothing but the provider is waited for.
      const next = this.#prepare(waiting, size)
      // If that fails, it does so below, after the outcomes are known.
      next.catch(() => undefined)
      const outcomes = await connection.send(
        going.map(({ prepared }) => prepared),
        now().getTime() + settings.group_seconds * 1000,
      )
      going.forEach(({ row }, i) => {
        const outcome = outcomes[i] ?? { kind: 'unknown', answer: 'the provider gave no outcome' }
        if (outcome.kind === 'stop') this.#stop = outcome.answer
        this.#verdicts.push(judge(row, outcome, this.#s.random()))
      })
      if (this.#stop !== null) break
      group = await next
    }
  }

  /**
   * Renders the next mails and gives each its form for the wire, until a group is full. What cannot be sent as it is fails
   * here, unmarked; once too many cannot be rendered, no more are tried.
   */
  async #prepare(waiting: ArrayIterator<ClaimedRow>, size: number): Promise<Ready[]> {
    const ready: Ready[] = []
    while (ready.length < size && !this.#spoilt) {
      const { value: row, done } = waiting.next()
      if (done) break
      try {
        const mail = await composeMail(this.#campaign, row, this.#s, this.#s.now())
        ready.push({ row, prepared: this.#account.provider.prepare(mail) })
      } catch (error) {
        if (!(error instanceof RenderError || error instanceof UnsendableMail)) throw error
        const why = error.message.replaceAll(row.email, '<recipient>')
        if (error instanceof RenderError) {
          if (this.#unrendered.count++ === 0) this.#unrendered.first = why
          this.#verdicts.push(fail(row, 'not_rendered', why))
        } else {
          this.#verdicts.push(fail(row, 'not_sendable', why))
        }
      }
    }
    return ready
  }

  /** An open connection, made anew when the last one can carry no more. */
  async #connected(): Promise<Connection> {
    if (this.#connection?.usable) return this.#connection
    await this.#connection?.close()
    this.#connection = null
    this.#connection = await this.#account.provider.connect(this.#campaign.snapshot.sender.from_email)
    return this.#connection
  }

  /** Records what is known and marks `group`. What cannot be recorded is tried again as long as this invocation lives. */
  async #advance(group_no: number, group: readonly Ready[]): Promise<Advanced> {
    const { db, settings, sleep, now } = this.#s
    const step: Advance = {
      campaign_id: this.#campaign.id,
      batch: this.#batch,
      token: this.#token,
      lease_seconds: settings.lease_seconds,
      account: this.#account.name,
      verdicts: this.#verdicts,
      group_no,
      mark: group.map(({ row }) => row.subscriber_id),
    }
    const last = this.#started + settings.run_seconds * 1000 + settings.group_seconds * 2000
    for (let pause = 500; ; pause = Math.min(pause * 2, 15_000)) {
      try {
        const done = await advance(db, step)
        this.#verdicts = []
        return done
      } catch (error) {
        if (now().getTime() > last) throw error
        log('record_retried', { campaign_id: step.campaign_id, batch: step.batch, group_no })
        await sleep(pause)
      }
    }
  }

  /** The account cannot be reached (come back later) or refuses us (stop). @returns seconds to wait */
  async #refused({ outcome }: ConnectionRefused, attempts: number): Promise<number> {
    if (outcome.kind === 'stop') {
      await this.#pause(outcome.answer)
      return 0
    }
    await noteCampaign(this.#s.db, this.#campaign.id, `Account ${this.#account.name}: ${outcome.answer}`)
    return Math.max(outcome.delay_seconds ?? 0, Math.min(COME_BACK * attempts, 900))
  }

  async #pause(answer: string): Promise<void> {
    await pauseCampaign(this.#s.db, this.#campaign.id, `Account ${this.#account.name}: ${answer}`)
    log('campaign_paused', { campaign_id: this.#campaign.id, account: this.#account.name })
  }

  get #spoilt(): boolean {
    return this.#unrendered.count > this.#unrendered.allowed
  }

  async #pauseSpoilt(size: number): Promise<void> {
    const { count, first } = this.#unrendered
    const reason = `${count} of the ${size} mails of a batch could not be rendered, the first because: ${first}. Resuming goes on with the recipients that are left. ${MENDING}`
    if (await pauseCampaign(this.#s.db, this.#campaign.id, reason)) {
      log('campaign_not_rendered', { campaign_id: this.#campaign.id, batch: this.#batch, count })
    }
  }

  async #release(wait: number): Promise<Answer> {
    const batch = { campaign_id: this.#campaign.id, batch: this.#batch, token: this.#token }
    const released = await releaseBatch(this.#s.db, batch)
    if (!released) return ACK
    if (released.open === 0) {
      await completeCampaign(this.#s.db, batch.campaign_id)
      return ACK
    }
    return { retry_seconds: Math.min(Math.max(Math.ceil(released.wait_seconds), wait, 1), MAX_QUEUE_DELAY) }
  }
}
