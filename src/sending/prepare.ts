import { pauseCampaign } from '../campaigns/transitions.ts'
import type { ClaimedRow } from '../ledger/claim.ts'
import type { Verdict } from '../ledger/record.ts'
import { log } from '../log.ts'
import { UnsendableMail } from '../providers/provider.ts'
import { RenderError } from '../render/errors.ts'
import type { LoadedCampaign } from './campaign.ts'
import { composeMail } from './compose.ts'
import { MENDING, type Sender, type SendingAccount } from './sender.ts'
import { fail } from './verdict.ts'

/** More than this share of a batch that cannot be rendered is no accident of one person's data: the template is at fault. */
const UNRENDERED_SHARE = 0.01

/** A mail ready for the wire, with the row it belongs to. */
export interface Ready {
  row: ClaimedRow
  prepared: unknown
}

/** Makes the mails of one claim, group by group, and counts those that cannot be made. */
export class Preparation {
  readonly #s: Sender
  readonly #campaign: LoadedCampaign
  readonly #account: SendingAccount
  readonly #waiting: Iterator<ClaimedRow>
  /** Rows of the whole batch, by which too many is measured. */
  readonly #size: number
  #unrendered = 0
  /** Why the first could not be rendered. */
  #first = ''

  constructor(
    s: Sender,
    campaign: LoadedCampaign,
    account: SendingAccount,
    rows: readonly ClaimedRow[],
    batch_size: number,
  ) {
    this.#s = s
    this.#campaign = campaign
    this.#account = account
    this.#waiting = rows.values()
    this.#size = batch_size
  }

  /** Whether so many cannot be rendered that no more are tried. */
  get spoilt(): boolean {
    return this.#unrendered > this.#size * UNRENDERED_SHARE
  }

  /**
   * Renders the next mails and gives each its form for the wire, until a group is full. What cannot be sent as it is fails
   * here, unmarked.
   *
   * @param failed - takes the verdicts on those
   */
  async next(group_size: number, failed: Verdict[]): Promise<Ready[]> {
    const ready: Ready[] = []
    while (ready.length < group_size && !this.spoilt) {
      const { value: row, done } = this.#waiting.next()
      if (done) break
      try {
        const { provider, bounce_domain } = this.#account
        const mail = await composeMail(this.#campaign, row, this.#s, this.#s.now(), bounce_domain)
        ready.push({ row, prepared: provider.prepare(mail) })
      } catch (error) {
        if (!(error instanceof RenderError || error instanceof UnsendableMail)) throw error
        const why = error.message.replaceAll(row.email, '<recipient>')
        if (error instanceof RenderError && this.#unrendered++ === 0) this.#first = why
        failed.push(fail(row, error instanceof RenderError ? 'not_rendered' : 'not_sendable', why))
      }
    }
    return ready
  }

  /** Pauses the campaign if too many could not be rendered. */
  async pauseIfSpoilt(batch: number): Promise<void> {
    if (!this.spoilt) return
    const reason = `${this.#unrendered} of the ${this.#size} mails of a batch could not be rendered, the first because: ${this.#first}. Resuming goes on with the recipients that are left. ${MENDING}`
    if (await pauseCampaign(this.#s.db, this.#campaign.id, reason)) {
      log('campaign_not_rendered', { campaign_id: this.#campaign.id, batch, count: this.#unrendered })
    }
  }
}
