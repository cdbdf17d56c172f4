import type { Filter } from '../segments/filter.ts'

/** Who a campaign is for: active subscribers who are subscribed to one of `include` and to none of `exclude`. */
export interface Audience {
  include: number[]
  exclude: number[]
  /** Segments: they must be in one of the first, where there are any, and in none of the second. */
  include_segments?: number[] | undefined
  exclude_segments?: number[] | undefined
  /** Attribute equality, all of them: `{ plan: 'pro' }`. */
  where: Record<string, string | number | boolean>
  /** A seeded share of the rest: the same seed picks the same people. */
  sample: { percent: number; seed: number } | null
  /** Who opened a mail or followed a link in the last so many days, as far as a person did. */
  active_within_days?: number | undefined
  /** A campaign that they opened, or were sent and did not open; so with its links. Which of these is said in engagement.ts. */
  opened?: number | undefined
  not_opened?: number | undefined
  clicked?: number | undefined
  not_clicked?: number | undefined
}

/** With what the segments mean that it names: as they are now, or as they were when the campaign started. */
export interface ResolvedAudience extends Audience {
  segments?: Record<string, Filter> | undefined
}

/** Those of its fields that name a campaign. */
export const CAMPAIGN_CONDITIONS = ['opened', 'not_opened', 'clicked', 'not_clicked'] as const
