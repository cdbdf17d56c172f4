// Chance that can be had again.

/** Numbers from 0 to 1, the same for the same seed (Mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Deals each fault to so many of the addresses, at most one to each.
 *
 * @param shares - of all addresses, rounded up
 */
export function dealFaults<Fault extends string>(
  addresses: readonly string[],
  shares: Record<Fault, number>,
  random: () => number,
): Map<string, Fault> {
  const deck = [...addresses]
  const dealt = new Map<string, Fault>()
  for (const [fault, share] of Object.entries(shares) as [Fault, number][]) {
    for (let left = Math.ceil(addresses.length * share); left > 0 && deck.length > 0; left--) {
      const [address] = deck.splice(Math.floor(random() * deck.length), 1)
      if (address !== undefined) dealt.set(address, fault)
    }
  }
  return dealt
}
