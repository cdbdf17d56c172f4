// Which permits are held: one connection each, until it is given back or ends by itself.

/** A permit that was granted and is not over. Times in ms since 1970. */
export interface Held {
  granted: number
  starts: number
  ends: number
  mails: number
  /** Mails a second it was granted at; null for no limit. */
  rate: number | null
  /** Where it left the rate's line, and the line of those who go ahead: nobody was promised a later start while it ends there. */
  until: number
  ahead_until: number
}

export type Holding = Record<string, Held>

/** The next connection that falls free is kept for whoever asked to go ahead and had to wait, for so long. In ms. */
export const KEPT = 60_000

/**
 * Takes permits out that ended by themselves.
 * @returns them, by id
 */
export function endLost(held: Holding, now: number): [id: string, permit: Held][] {
  const lost = Object.entries(held).filter(([, permit]) => permit.ends <= now)
  for (const [id] of lost) delete held[id]
  return lost
}

/** Moves a permit's end. @returns false when there is no such permit any more */
export function prolong(held: Holding, id: string, hold_ms: number, now: number): boolean {
  const permit = held[id]
  if (!permit) return false
  permit.ends = Math.max(now, permit.starts) + hold_ms
  return true
}

/** Connections in use. */
export const inUse = (held: Holding): number => Object.keys(held).length

/** Mails that may still be sent by permits that are held. */
export const heldMails = (held: Holding): number => Object.values(held).reduce((sum, { mails }) => sum + mails, 0)

/** Whether a connection is in use only to wait for its start: the rate is what holds the others up. */
export const someWait = (held: Holding, now: number): boolean => Object.values(held).some(({ starts }) => starts > now)
