// A gate that grants whatever is asked, for tests of what happens past it.
import type { Asking, Gate, Permit } from '../../src/sending/permit.ts'

export const UNLIMITED = { max_connections: 4, rate_per_second: null, per_day: null }

export const grant = ({ mails, limits }: Asking): Permit => ({
  id: 'p',
  mails,
  starts_in_ms: 0,
  rate_per_second: limits.rate_per_second,
  learn: false,
})

export const openGate = (changes: Partial<Gate> = {}): Gate => ({
  take: grant,
  extend: () => true,
  giveBack: () => undefined,
  learn: () => undefined,
  reopen: () => undefined,
  standing: () => ({
    connections: 0,
    rate_per_second: null,
    sent_last_day: 0,
    per_day: null,
    limited_by: null,
    down: null,
  }),
  ...changes,
})
