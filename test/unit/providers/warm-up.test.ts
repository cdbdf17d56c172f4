import { expect, test } from 'vitest'
import { type SmtpAccount, summarise } from '../../../src/providers/account.ts'
import { capOf, DEFAULT_RAMP } from '../../../src/providers/warm-up.ts'

const at = (time: string) => new Date(time)
const ramp = { from: '2026-11-24', per_day: [50, 100, 500] }

test.each([
  ['before the ramp begins, as on its first day', '2026-11-20T12:00:00Z', 50],
  ['the first moment of the first day', '2026-11-24T00:00:00Z', 50],
  ['the last moment of the first day', '2026-11-24T23:59:59.999Z', 50],
  ['the second day', '2026-11-25T00:00:00Z', 100],
  ['the last day', '2026-11-26T23:00:00Z', 500],
  ['after the last', '2026-11-27T00:00:00Z', null],
])('%s', (_, time, cap) => {
  expect(capOf({ warm_up: ramp }, at(time))).toBe(cap)
})

test("the lower of the account's own limit and its ramp holds", () => {
  expect(capOf({ per_day: 80, warm_up: ramp }, at('2026-11-24T00:00:00Z'))).toBe(50)
  expect(capOf({ per_day: 80, warm_up: ramp }, at('2026-11-25T00:00:00Z'))).toBe(80)
  expect(capOf({ per_day: 80, warm_up: ramp }, at('2027-01-01T00:00:00Z'))).toBe(80)
  expect(capOf({ per_day: 80 }, at('2026-11-24T00:00:00Z'))).toBe(80)
  expect(capOf({}, at('2026-11-24T00:00:00Z'))).toBeNull()
})

test('an account that gives no table of its own has the default one, which only rises', () => {
  expect(capOf({ warm_up: { from: '2026-11-24' } }, at('2026-11-27T00:00:00Z'))).toBe(DEFAULT_RAMP[3])
  expect([...DEFAULT_RAMP].sort((a, b) => a - b)).toEqual(DEFAULT_RAMP)
})

test('an account shows its ramp and what today allows, until it is through', () => {
  const account: SmtpAccount = {
    name: 'new',
    kind: 'smtp',
    host: 'mail.example',
    port: 587,
    tls: 'starttls',
    max_connections: 4,
    warm_up: ramp,
  }
  const shown = (time: string) => summarise(account, at(time)).warm_up
  expect(shown('2026-11-25T09:00:00Z')).toEqual({ ...ramp, today: 100 })
  expect(shown('2026-11-27T09:00:00Z')).toBeNull()
  expect(summarise({ ...account, warm_up: undefined }, at('2026-11-25T09:00:00Z')).warm_up).toBeNull()
})
