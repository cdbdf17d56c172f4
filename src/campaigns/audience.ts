/** Who a campaign is for: active subscribers who are subscribed to one of `include` and to none of `exclude`. */
export interface Audience {
  include: number[]
  exclude: number[]
  /** Attribute equality, all of them: `{ plan: 'pro' }`. */
  where: Record<string, string | number | boolean>
  /** A seeded share of the rest: the same seed picks the same people. */
  sample: { percent: number; seed: number } | null
}
