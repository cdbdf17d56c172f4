// Chance that can be had again: the same seed draws the same.

export interface Chance {
  /** From 0 to below 1. */
  next(): number
  between(least: number, most: number): number
  /** True for this share of all draws. */
  is(share: number): boolean
  one<T>(of: readonly T[]): T
  /** Each with its weight. */
  weighted<T>(of: readonly (readonly [weight: number, value: T])[]): T
  /** Log-normal: half lie below `median`; the larger `spread`, the longer the tail. */
  around(median: number, spread: number): number
}

export function chance(seed: number): Chance {
  let state = (seed * 2_654_435_761 + 97) >>> 0
  // xorshift32 never leaves zero.
  if (state === 0) state = 1
  const next = () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
  const one = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T
  for (let warm = 0; warm < 20; warm++) next()
  return {
    next,
    one,
    between: (least, most) => least + next() * (most - least),
    is: (share) => next() < share,
    weighted(of) {
      let left = next() * of.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, value] of of) {
        left -= weight
        if (left < 0) return value
      }
      return one(of)[1]
    },
    around(median, spread) {
      const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
      return median * Math.exp(spread * normal)
    },
  }
}
