import type { Slots } from './provider.ts'

/** Of the platform's six connections an invocation may have: the rest are for SQL, Redis and the gate. */
const SLOTS = 4

/** The slots of one invocation, given out in the order they were asked for. */
export function openSlots(count = SLOTS): Slots {
  let free = count
  const waiting: (() => void)[] = []
  return {
    async take() {
      if (free > 0) free--
      else await new Promise<void>((resolve) => waiting.push(resolve))
      let given = false
      return () => {
        if (given) return
        given = true
        const next = waiting.shift()
        if (next) next()
        else free++
      }
    },
  }
}
