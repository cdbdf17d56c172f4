import type { Outcome } from './provider.ts'

/** Requests one connection keeps open: the platform has six for everything, SQL and Redis included. */
const IN_FLIGHT = 4
/** Longest wait for one answer, ms. */
const PATIENCE = 30_000

/**
 * Sends a group over HTTP, a few requests at a time, and gives the outcomes in the group's order. A request that has no
 * answer in time is `unknown`, one that was never started is `later`. Never throws.
 * @param request one mail; `signal` fires when its time is over
 * @param deadline ms since 1970, for the whole group
 */
export async function sendInFlight<Prepared>(
  group: readonly Prepared[],
  deadline: number,
  request: (mail: Prepared, signal: AbortSignal) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = group.map(() => ({ kind: 'later', answer: 'no time was left for this mail' }))
  let next = 0
  /** Once the account is refused the rest of the group would fare the same. */
  let stopped: Outcome | null = null
  const lane = async () => {
    while (next < group.length) {
      const index = next++
      const left = deadline - Date.now()
      if (left <= 0) return
      if (stopped !== null) outcomes[index] = stopped
      else {
        const outcome = await inTime(group[index] as Prepared, Math.min(left, PATIENCE), request)
        outcomes[index] = outcome
        if (outcome.kind === 'stop') stopped = outcome
      }
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return outcomes
}

async function inTime<Prepared>(
  mail: Prepared,
  ms: number,
  request: (mail: Prepared, signal: AbortSignal) => Promise<Outcome>,
): Promise<Outcome> {
  const controller = new AbortController()
  let timer: ReturnType<typeof setTimeout> | null = null
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => {
      resolve({ kind: 'unknown', answer: 'no answer in time' })
      controller.abort()
    }, ms)
  })
  try {
    return await Promise.race([request(mail, controller.signal), late])
  } catch (error) {
    return { kind: 'unknown', answer: error instanceof Error ? error.message.slice(0, 200) : 'the request failed' }
  } finally {
    if (timer !== null) clearTimeout(timer)
  }
}
