import { expect, test } from 'vitest'
import { ASSUMPTIONS, estimateCost } from '../../../src/costs/estimate.ts'
import { PRICES } from '../../../src/costs/prices.ts'

const HOUR = 3600
const sending = (mails: number, kind: 'ses' | 'sendgrid' | 'smtp' | null) => estimateCost(mails, kind, HOUR).lines[0]

test('every line can be computed from its quantity and its price', () => {
  const { lines, total_usd } = estimateCost(1_000_000, 'ses', 20 * HOUR)
  const priced = Object.values(PRICES)
  for (const { item, quantity, unit, usd, source } of lines) {
    const price = priced.find((one) => one.unit === unit && one.source === source)
    if (!price) throw new Error(`no price for ${item}`)
    expect(usd).toBeCloseTo((quantity / price.per) * price.usd, 2)
  }
  expect(total_usd).toBeCloseTo(
    lines.reduce((sum, { usd }) => sum + (usd ?? 0), 0),
    2,
  )
})

test('quantities are what the assumptions make of the mails', () => {
  const { lines, assumptions } = estimateCost(1_000_000, 'ses', 20 * HOUR)
  const quantities = Object.fromEntries(lines.map(({ service, item, quantity }) => [`${service} ${item}`, quantity]))
  expect(quantities).toMatchObject({
    'sending Amazon SES': 1_000_000,
    // 10,000 batches, 500,000 opens, 50,000 clicks.
    'workers requests': 560_000,
    'queues operations': 30_000,
    'durable_objects requests': 25_000,
    'redis commands': 1_110_000,
    'postgres compute': 11,
  })
  expect(assumptions).toBe(ASSUMPTIONS)
  expect(lines[0]?.usd).toBe(160)
})

test('SendGrid by the share of a month, and by the mail beyond it', () => {
  expect(sending(50_000, 'sendgrid')?.usd).toBe(19.95)
  expect(sending(5_000, 'sendgrid')?.usd).toBe(2)
  expect(sending(100_000, 'sendgrid')?.usd).toBe(89.95)
  expect(sending(200_000, 'sendgrid')?.usd).toBe(199.95)
})

test('what has no price is not guessed, and does not count', () => {
  const { lines, total_usd } = estimateCost(1_000, 'smtp', HOUR)
  expect(lines[0]).toMatchObject({ quantity: 1_000, usd: null, price_read: null })
  expect(total_usd).toBeGreaterThan(0)
  expect(sending(1_000, null)?.usd).toBeNull()
})

test('no mails cost nothing', () => {
  expect(estimateCost(0, 'ses', 0).total_usd).toBe(0)
})

test('every price says where it is from and when it was read', () => {
  for (const { source, read, per, usd } of Object.values(PRICES)) {
    expect([URL.canParse(source), read, per > 0 && usd > 0]).toEqual([
      true,
      expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      true,
    ])
  }
})
