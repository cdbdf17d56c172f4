import { answerText } from './answer.ts'
import type { Outcome, Slots } from './provider.ts'

/** Requests one group keeps open at most; fewer where other batches of the invocation share its slots. */
const IN_FLIGHT = 4
/** Longest wait for one answer, ms. */
const PATIENCE = 30_000

/**
 * Sends a group over HTTP, a few requests at a time, and gives the outcomes in the group's order. A request that has no
 * answer in time is `unknown`, one that was never started is `later`. The clock of a request starts when it has a slot.
 * Never throws.
 * @param request one mail; `signal` fires when its time is over
 * @param deadline ms since 1970, for the whole group
 */
export async function sendInFlight<Prepared>(
  slots: Slots,
  group: readonly Prepared[],
  deadline: number,
  request: (mail: Prepared, signal: AbortSignal) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = group.map(() => ({
    kind: 'later',
    answer: 'no time was left for this mail',
    untried: true,
  }))
  let next = 0
  /** Once the account is refused the rest of the group would fare the same. */
  let stopped: Outcome | null = null
  const lane = async () => {
    while (next < group.length) {
      const index = next++
      const free = await slotInTime(slots, deadline)
      const left = deadline - Date.now()
      if (free === null || left <= 0) {
        free?.()
        return
      }
      if (stopped !== null) {
        free()
        outcomes[index] = stopped
        continue
      }
      outcomes[index] = await inTime(Math.min(left, PATIENCE), free, async (signal) => {
        const outcome = await request(group[index] as Prepared, signal)
        // Before the slot is free: whoever waits for it must know.
        if (outcome.kind === 'stop') stopped = outcome
        return outcome
      })
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return outcomes
}

/** A slot, or null when none comes free before the deadline: then others of this invocation hold them all. */
async function slotInTime(slots: Slots, deadline: number): Promise<(() => void) | null> {
  const taken = slots.take()
  let timer: ReturnType<typeof setTimeout> | null = null
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, deadline - Date.now()), null)
  })
  const free = await Promise.race([taken, late])
  if (timer !== null) clearTimeout(timer)
  // The slot comes all the same, some time.
  if (free === null) void taken.then((give_back) => give_back())
  return free
}

/** @param free called when the request has truly ended: one that is given up may hold its connection a little longer */
async function inTime(
  ms: number,
  free: () => void,
  request: (signal: AbortSignal) => Promise<Outcome>,
): Promise<Outcome> {
  const controller = new AbortController()
  let timer: ReturnType<typeof setTimeout> | null = null
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => {
      resolve({ kind: 'unknown', answer: 'no answer in time' })
      controller.abort()
    }, ms)
  })
  const answered = request(controller.signal)
    .catch((error: unknown): Outcome => {
      const answer = error instanceof Error && error.message !== '' ? error.message : 'the request failed'
      return { kind: 'unknown', answer: answerText(answer) }
    })
    .finally(free)
  const outcome = await Promise.race([answered, late])
  if (timer !== null) clearTimeout(timer)
  return outcome
}
