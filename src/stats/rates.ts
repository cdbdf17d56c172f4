import type { LedgerSums } from '../ledger/sums.ts'
import type { CampaignStats } from './schema.ts'
import type { Totals } from './store.ts'

/**
 * `delivered` is a denominator where services told of at least this share of what was sent. One account of several that
 * tells nothing, or news that is still on its way, would make rates too high by what is missing.
 */
const ENOUGH_NEWS = 0.8

/** Rates of one campaign, each null where nothing can be said. */
export function rates(counts: Totals, { sent, failed }: Pick<LedgerSums, 'sent' | 'failed'>): CampaignStats['rates'] {
  const denominator = counts.delivered > 0 && counts.delivered >= sent * ENOUGH_NEWS ? 'delivered' : 'sent'
  const base = denominator === 'delivered' ? counts.delivered : sent
  const opened = people(counts.unique_opens, counts.opens)
  const clicked = people(counts.unique_clicks, counts.clicks)
  const human_opened = people(counts.human_unique_opens, counts.human_opens)
  const human_clicked = people(counts.human_unique_clicks, counts.human_clicks)
  return {
    denominator,
    open_rate: share(opened, base),
    human_open_rate: share(human_opened, base),
    click_rate: share(clicked, base),
    human_click_rate: share(human_clicked, base),
    click_to_open_rate: share(clicked, opened),
    human_click_to_open_rate: share(human_clicked, human_opened),
    unsubscribe_rate: share(counts.unique_unsubscribes, base),
    complaint_rate: share(counts.complaints, base),
    // Some are refused at the time of sending, and were never sent.
    bounce_rate: share(counts.bounces.hard, sent + failed),
  }
}

/** A campaign that counts without saying who has events of nobody: of people nothing is known. */
const people = (unique: number, all: number) => (unique === 0 && all > 0 ? null : unique)

const share = (part: number | null, whole: number | null) =>
  part === null || !whole ? null : Math.round((part / whole) * 10_000) / 10_000
