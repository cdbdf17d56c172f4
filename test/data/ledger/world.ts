// One campaign, the senders at work on it, and everything around them that may go wrong, for a test that lets it go wrong
// in any order. The senders keep to the protocol of the send loop, but stop, lose answers and come back whenever they are
// told to, and never look at a clock. What they really sent is counted here, apart from the ledger.
import { expect } from 'vitest'
import { cancelCampaign, pauseCampaign, resumeCampaign } from '../../../src/campaigns/transitions.ts'
import { dispatchCampaign } from '../../../src/dispatch/dispatch.ts'
import type { BatchPointer, DispatchMessage } from '../../../src/dispatch/message.ts'
import { recordFeedback } from '../../../src/feedback/record.ts'
import { type Claim, claimBatch } from '../../../src/ledger/claim.ts'
import { completeCampaign } from '../../../src/ledger/complete.ts'
import { settleByEvidence } from '../../../src/ledger/evidence.ts'
import { type Advanced, advance, type Released, releaseBatch, type Verdict } from '../../../src/ledger/record.ts'
import { resolveUnconfirmed } from '../../../src/ledger/resolve.ts'
import { retryFailed } from '../../../src/ledger/retry.ts'
import { finishedCampaigns, sweepBatches, sweepFreezes } from '../../../src/ledger/sweep.ts'
import { writeSettings } from '../../../src/settings/store.ts'
import { seedCampaign } from '../../support/campaign.ts'
import type { TestDatabase } from '../../support/database.ts'
import { news } from '../feedback/news.ts'
import { verdict } from './acts.ts'
import { expectTheContract, readStanding, type Standing } from './invariants.ts'

export const AUDIENCE = 20
/** Each page of the freeze is one batch. */
const PAGE = 7

/**
 * What becomes of a request to Postgres: it is answered; its answer is lost, and its sender asks again; it never gets there,
 * and its sender asks again; its sender dies while it is on its way.
 */
export type Fate = 'answered' | 'lost' | 'unsent' | 'crash'
/** What the provider says, and whether the mail is out. */
export type Answer = 'sent' | 'later' | 'never' | 'stop' | 'unknown_sent' | 'unknown_unsent'

/** The numbers pick among what there is at that moment, modulo. */
export type Act =
  | { act: 'deliver'; pointer: number; duplicate: boolean; fate: Fate }
  /** The next thing a sender does: ask again, send, record and mark the next group, record and release. */
  | { act: 'step'; sender: number; size: number; answers: Answer[]; fate: Fate }
  /** It marks no more: what it does next is to record what it knows and to release the batch. */
  | { act: 'give_up'; sender: number }
  /** It dies; so many mails of a group that it has marked are out. */
  | { act: 'die'; sender: number; sent: number }
  /** A request that was slow on its way arrives once more; nobody waits for its answer. */
  | { act: 'repeat'; request: number }
  | { act: 'freeze'; queue: 'up' | 'down'; duplicate: boolean; lost: boolean }
  | { act: 'sweep'; lost: boolean }
  | { act: 'expire'; batch: number }
  /** Some of those who were mailed read it, or their server tells that it took the mail. */
  | { act: 'evidence'; by: 'reader' | 'server'; subscriber: number; count: number }
  | { act: 'resolve'; as: 'accept' | 'resend' }
  /** Somebody in the frozen part of the audience unsubscribes. */
  | { act: 'leave'; subscriber: number }
  | { act: Plain }

export type Plain =
  | 'complete'
  | 'pause'
  | 'resume'
  | 'cancel'
  | 'retry_failed'
  | 'all_off'
  | 'all_on'
  | 'hours'
  | 'deferred_due'

/** Acts that run at the same moment, on one batch if there is a choice. */
export interface Moment {
  batch: number
  acts: Act[]
}

type Request =
  | { kind: 'claim' }
  | { kind: 'advance'; group_no: number; mark: number[]; verdicts: Verdict[] }
  | { kind: 'release'; verdicts: Verdict[] }

interface Sender {
  batch: number
  token: string
  /** Claimed and in no group yet. */
  waiting: number[]
  group_no: number
  /** Marked and not yet sent. */
  going: number[]
  /** Not yet recorded. */
  verdicts: Verdict[]
  /** Of which it does not know whether it has arrived. */
  in_doubt: Request | null
  /** In the middle of an act. */
  busy: boolean
}

export class World {
  readonly #t: TestDatabase
  readonly campaign_id: number
  #pointers: BatchPointer[] = []
  #dispatches: DispatchMessage[]
  #senders: Sender[] = []
  readonly #requests: { sender: Sender; request: Request }[] = []
  /** The witness: who was really mailed, by the tokens of the senders that did it. */
  readonly #mailed = new Map<number, string[]>()
  #standing: Standing
  #batch = 0

  private constructor(t: TestDatabase, campaign_id: number, standing: Standing) {
    this.#t = t
    this.campaign_id = campaign_id
    this.#dispatches = [{ campaign_id, enqueued: 0 }]
    this.#standing = standing
  }

  static async open(t: TestDatabase): Promise<World> {
    await writeSettings(t.db, { sending: true })
    await t.sql('truncate changes')
    const { campaign_id } = await seedCampaign(t, AUDIENCE)
    return new World(t, campaign_id, await readStanding(t, campaign_id))
  }

  /** Nothing of it is left for the sweeps of the next. */
  async close(): Promise<void> {
    await this.#t.sql(`update campaigns set status = 'cancelled' where id = $1 and status <> 'sent'`, [
      this.campaign_id,
    ])
  }

  /** Runs the acts of a moment at once, then looks at every row. */
  async pass({ batch, acts }: Moment): Promise<void> {
    this.#batch = batch % Math.max(1, this.#standing.batches.length)
    await Promise.all(acts.map((act) => this.#run(act)))
    await this.#look(acts.some(({ act }) => act === 'resume' || act === 'all_on'))
  }

  /** From here on nothing goes wrong any more: the sweep and good senders bring the campaign to its end. */
  async settle(): Promise<void> {
    this.#senders = []
    this.#pointers = []
    await this.#run({ act: 'all_on' })
    await this.#run({ act: 'resume' })
    await this.#look(true)
    for (let rounds = 0; this.#standing.status === 'sending'; rounds++) {
      expect(rounds, 'the campaign comes to an end').toBeLessThan(10)
      for (const { n } of this.#standing.batches) await this.#run({ act: 'expire', batch: n })
      await this.#run({ act: 'hours' })
      await this.#run({ act: 'deferred_due' })
      await this.#run({ act: 'sweep', lost: false })
      while (this.#dispatches.length > 0) {
        await this.#run({ act: 'freeze', queue: 'up', duplicate: false, lost: false })
      }
      while (this.#pointers.length > 0) {
        await this.#run({ act: 'deliver', pointer: 0, duplicate: false, fate: 'answered' })
        while (this.#senders.length > 0) {
          await this.#run({ act: 'step', sender: 0, size: 5, answers: ['sent'], fate: 'answered' })
        }
        // What is released with open rows comes back only after they are due.
        this.#pointers = this.#pointers.filter(({ batch }) => batch < 0)
      }
      await this.#look(false)
    }
    if (this.#standing.status === 'cancelled') return
    expect(this.#standing.status).toBe('sent')
    expect(this.#standing.rows).toHaveLength(AUDIENCE)
  }

  async #look(lifted: boolean): Promise<void> {
    const before = this.#standing
    this.#standing = await readStanding(this.#t, this.campaign_id)
    expectTheContract(before, this.#standing, this.#mailed, lifted)
  }

  async #run(act: Act): Promise<void> {
    const { campaign_id } = this
    const { db } = this.#t
    switch (act.act) {
      case 'deliver':
        return this.#deliver(act.pointer, act.duplicate, act.fate)
      case 'step':
        return this.#with(act.sender, (sender) => this.#step(sender, act))
      case 'give_up':
        return this.#with(act.sender, async (sender) => {
          // What it has marked, it sends; there is no way back from a mark but an outcome.
          if (sender.going.length === 0) sender.waiting = []
        })
      case 'die':
        return this.#with(act.sender, async (sender) => {
          for (const id of sender.going.slice(0, act.sent)) this.#mail(sender, id)
          this.#bury(sender)
        })
      case 'repeat': {
        const again = pick(this.#requests, act.request)
        if (again) await this.#execute(again.sender, again.request)
        return
      }
      case 'freeze':
        return this.#freeze(act)
      case 'sweep':
        return this.#sweep(act.lost)
      case 'expire':
        await this.#t.sql(
          `update batches set lease_until = now() - interval '1 second'
           where campaign_id = $1 and n = $2 and lease_token is not null`,
          [campaign_id, pick(this.#standing.batches, act.batch)?.n ?? 0],
        )
        return
      case 'evidence':
        return this.#evidence(act.by, act.subscriber, act.count)
      case 'resolve':
        await resolveUnconfirmed(db, campaign_id, act.as)
        return
      case 'leave':
        await this.#t.sql(`update subscribers set status = 'unsubscribed' where id = $1`, [
          pick(this.#standing.rows, act.subscriber)?.id ?? 0,
        ])
        return
      case 'complete':
        await completeCampaign(db, campaign_id)
        return
      case 'pause':
        await pauseCampaign(db, campaign_id, 'test')
        return
      case 'resume':
        if (await resumeCampaign(db, campaign_id)) this.#dispatches.push({ campaign_id, enqueued: 0 })
        return
      case 'cancel':
        await cancelCampaign(db, campaign_id)
        return
      case 'retry_failed':
        await retryFailed(db, campaign_id, null, 0)
        return
      case 'all_off':
      case 'all_on':
        await writeSettings(db, { sending: act.act === 'all_on' })
        return
      case 'hours':
        await this.#t.sql(`update batches set due_at = due_at - interval '1 hour' where campaign_id = $1`, [
          campaign_id,
        ])
        await this.#t.sql(`update campaigns set updated_at = updated_at - interval '1 hour' where id = $1`, [
          campaign_id,
        ])
        return
      case 'deferred_due':
        await this.#t.sql(
          `update deliveries set next_attempt_at = now() where campaign_id = $1 and state = 'deferred'`,
          [campaign_id],
        )
        return
    }
  }

  async #deliver(nth: number, duplicate: boolean, fate: Fate): Promise<void> {
    const near = this.#pointers.filter(({ batch }) => batch === this.#batch)
    const pointer = pick(near.length > 0 ? near : this.#pointers, nth)
    if (!pointer) return
    if (!duplicate) this.#pointers.splice(this.#pointers.indexOf(pointer), 1)
    const sender: Sender = {
      batch: pointer.batch,
      token: crypto.randomUUID(),
      waiting: [],
      group_no: 0,
      going: [],
      verdicts: [],
      in_doubt: null,
      busy: true,
    }
    this.#senders.push(sender)
    await this.#ask(sender, { kind: 'claim' }, fate)
    sender.busy = false
  }

  /** A sender that is not in the middle of something, of the moment's batch if there is one. */
  async #with(nth: number, act: (sender: Sender) => Promise<void>): Promise<void> {
    const idle = this.#senders.filter(({ busy }) => !busy)
    const near = idle.filter(({ batch }) => batch === this.#batch)
    const sender = pick(near.length > 0 ? near : idle, nth)
    if (!sender) return
    sender.busy = true
    await act(sender)
    sender.busy = false
  }

  async #step(sender: Sender, { size, answers, fate }: Extract<Act, { act: 'step' }>): Promise<void> {
    if (sender.in_doubt) return this.#ask(sender, sender.in_doubt, fate)
    if (sender.going.length > 0) {
      const group = sender.going.splice(0)
      sender.verdicts.push(...group.map((id, i) => this.#send(sender, id, answers[i % answers.length] ?? 'sent')))
      return
    }
    const verdicts = [...sender.verdicts]
    if (sender.waiting.length === 0) return this.#ask(sender, { kind: 'release', verdicts }, fate)
    const mark = sender.waiting.splice(0, size)
    return this.#ask(sender, { kind: 'advance', group_no: sender.group_no++, mark, verdicts }, fate)
  }

  #send(sender: Sender, id: number, answer: Answer): Verdict {
    if (answer === 'sent' || answer === 'unknown_sent') this.#mail(sender, id)
    const states = {
      sent: 'sent',
      later: 'deferred',
      never: 'failed',
      stop: 'pending',
      unknown_sent: 'unconfirmed',
      unknown_unsent: 'unconfirmed',
    } as const
    // Signed, so that it can be seen whose word the ledger took.
    return { ...verdict(id, states[answer]), answer: sender.token }
  }

  #mail({ token }: Sender, id: number): void {
    this.#mailed.set(id, [...(this.#mailed.get(id) ?? []), token])
  }

  async #ask(sender: Sender, request: Request, fate: Fate): Promise<void> {
    sender.in_doubt = request
    if (fate === 'unsent') return
    this.#requests.push({ sender, request })
    const hear = await this.#execute(sender, request)
    if (fate === 'lost') return
    if (fate === 'crash') return this.#bury(sender)
    sender.in_doubt = null
    await hear()
  }

  /** @returns what the sender does once it has the answer */
  async #execute(sender: Sender, request: Request): Promise<() => Promise<void>> {
    const { db } = this.#t
    const lease = { campaign_id: this.campaign_id, batch: sender.batch, token: sender.token }
    switch (request.kind) {
      case 'claim': {
        const claim = await claimBatch(db, { ...lease, lease_seconds: 120 })
        return () => this.#claimed(sender, claim)
      }
      case 'advance': {
        const { group_no, mark, verdicts } = request
        const step = { ...lease, lease_seconds: 120, account: 'main', group_no, mark, verdicts }
        const advanced = await advance(db, step)
        return async () => this.#advanced(sender, mark, advanced)
      }
      case 'release': {
        const released = await releaseBatch(db, lease, request.verdicts)
        return () => this.#released(sender, released)
      }
    }
  }

  async #claimed(sender: Sender, claim: Claim): Promise<void> {
    if (!claim.claimed) {
      this.#bury(sender)
      if (claim.why === 'done') await completeCampaign(this.#t.db, this.campaign_id)
      return
    }
    sender.waiting = claim.rows.filter(({ skip }) => !skip).map((row) => row.subscriber_id)
    sender.verdicts = claim.rows.filter(({ skip }) => skip).map((row) => verdict(row.subscriber_id, 'skipped'))
  }

  #advanced(sender: Sender, mark: number[], { marked, held }: Advanced): void {
    expect(mark, 'only what was asked for is marked').toEqual(expect.arrayContaining(marked))
    if (!held) expect(marked, 'nobody marks without the lease').toEqual([])
    sender.verdicts = []
    sender.going = marked
    if (mark.length > 0 && marked.length === 0) sender.waiting = []
  }

  async #released(sender: Sender, released: Released | null): Promise<void> {
    this.#bury(sender)
    if (released?.open === 0 && released.ending) await completeCampaign(this.#t.db, this.campaign_id)
    else if (released) this.#pointers.push({ campaign_id: this.campaign_id, batch: sender.batch })
  }

  #bury(sender: Sender): void {
    this.#senders = this.#senders.filter((other) => other !== sender)
  }

  /** One page and its pointers, then the continuation. */
  async #freeze({ queue, duplicate, lost }: Extract<Act, { act: 'freeze' }>): Promise<void> {
    const [message] = this.#dispatches
    if (!message) return
    if (!duplicate) this.#dispatches.shift()
    if (lost) return
    let looks = 0
    try {
      await dispatchCampaign(
        {
          db: this.#t.db,
          page_size: PAGE,
          dispatch: { send: async (next) => this.#dispatches.push(next) },
          sends: {
            sendBatch: async (messages) => {
              if (queue === 'down') throw new Error('the queue is away')
              for (const { body } of messages) this.#pointers.push(body)
            },
          },
          now: () => new Date(looks++ * 60_000),
        },
        message,
      )
    } catch (error) {
      if (!(error instanceof Error && error.message === 'the queue is away')) throw error
      if (!duplicate) this.#dispatches.push(message)
    }
  }

  /** Cron's part. `lost`: what it sends does not arrive. */
  async #sweep(lost: boolean): Promise<void> {
    const { db } = this.#t
    const [pointers, freezes] = [await sweepBatches(db), await sweepFreezes(db)]
    if (!lost) {
      this.#pointers.push(...pointers)
      this.#dispatches.push(...freezes)
    }
    for (const id of await finishedCampaigns(db)) await completeCampaign(db, id)
  }

  /** Readers open what was really mailed to them. */
  async #evidence(by: 'reader' | 'server', nth: number, count: number): Promise<void> {
    const { campaign_id } = this
    const mailed = [...this.#mailed.keys()]
    const some = mailed.length > 0 ? mailed.slice(nth % mailed.length).slice(0, count) : []
    if (some.length === 0) return
    if (by === 'server') {
      await recordFeedback(
        this.#t.db,
        some.map((id) => news('delivered', campaign_id, id, { event_id: `${campaign_id}.${id}` })),
      )
      return
    }
    await this.#t.sql(
      `insert into recipient_stats (campaign_id, subscriber_id, opens) select $1, id, 1 from unnest($2::bigint[]) as x (id)
       on conflict do nothing`,
      [campaign_id, some],
    )
    await settleByEvidence(
      this.#t.db,
      some.map((subscriber_id) => ({ campaign_id, subscriber_id })),
    )
  }
}

const pick = <T>(among: readonly T[], nth: number): T | undefined => among[nth % among.length]
