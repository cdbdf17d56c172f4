// What a campaign costs, line by line, with the quantities, so that anyone can check the arithmetic.
import type { Account } from '../providers/account.ts'
import { PRICES, type Price, SENDGRID_PLANS, SENDGRID_SOURCE } from './prices.ts'

export interface CostLine {
  service: 'sending' | 'workers' | 'queues' | 'durable_objects' | 'redis' | 'postgres'
  item: string
  quantity: number
  unit: string
  /** The list price of `quantity`, nothing of what is included taken off; null where no price is known. */
  usd: number | null
  /** How the price is made: `0.16 USD per 1,000 mails`. */
  price: string
  /** Of this unit, what a month includes: a campaign that stays below costs nothing here. */
  included_per_month: number
  source: string | null
  /** The day on which the price was read. */
  price_read: string | null
}

export interface Estimate {
  lines: CostLine[]
  /** Sum of the lines that have a price. */
  total_usd: number
  assumptions: Assumptions
}

/** What is not known before a campaign is sent. Shares are of mails. */
export interface Assumptions {
  opens_per_mail: number
  clicks_per_mail: number
  cpu_ms_per_mail: number
  cpu_ms_per_event: number
  mails_per_batch: number
  /** Of the account's gate, for each batch: to take a permit, to give it back, and half an extension. */
  gate_calls_per_batch: number
  redis_commands_per_batch: number
  /** To buffer it, and to take it out again. */
  redis_commands_per_event: number
  /** Opens and clicks keep the database awake so long after the last mail. In hours. */
  hours_of_events: number
  /** The smallest Neon has. */
  postgres_cu: number
  bytes_per_mail: number
  bytes_per_event: number
}

/**
 * Half of the mails opened, each time once, and one in twenty clicked is more than most campaigns see. CPU was measured: a
 * mail rendered, signed and encoded is 0.3 ms, an event 0.15 ms; here with what sending adds, and room.
 */
export const ASSUMPTIONS: Assumptions = {
  opens_per_mail: 0.5,
  clicks_per_mail: 0.05,
  cpu_ms_per_mail: 1,
  cpu_ms_per_event: 0.5,
  mails_per_batch: 100,
  gate_calls_per_batch: 2.5,
  redis_commands_per_batch: 1,
  redis_commands_per_event: 2,
  hours_of_events: 24,
  postgres_cu: 0.25,
  bytes_per_mail: 300,
  bytes_per_event: 250,
}

/** A message is written to the queue, read and deleted. */
const OPERATIONS_PER_MESSAGE = 3

/**
 * @param kind - of the account that carries it; null when there is none
 * @param seconds - from the first mail to the last, days of waiting included: their events keep the database awake
 */
export function estimateCost(
  mails: number,
  kind: Account['kind'] | null,
  seconds: number,
  a: Assumptions = ASSUMPTIONS,
): Estimate {
  const events = mails * (a.opens_per_mail + a.clicks_per_mail)
  const batches = Math.ceil(mails / a.mails_per_batch)
  const hours = mails === 0 ? 0 : seconds / 3600 + a.hours_of_events
  const gigabytes = (mails * a.bytes_per_mail + events * a.bytes_per_event) / 1e9
  const lines = [
    sendingLine(mails, kind),
    line('workers', 'requests', batches + events, PRICES.workers_requests),
    line('workers', 'cpu', mails * a.cpu_ms_per_mail + events * a.cpu_ms_per_event, PRICES.workers_cpu),
    line('queues', 'operations', batches * OPERATIONS_PER_MESSAGE, PRICES.queue_operations),
    line('durable_objects', 'requests', batches * a.gate_calls_per_batch, PRICES.durable_object_requests),
    line(
      'redis',
      'commands',
      batches * a.redis_commands_per_batch + events * a.redis_commands_per_event,
      PRICES.redis_commands,
    ),
    line('postgres', 'compute', hours * a.postgres_cu, PRICES.postgres_compute),
    line('postgres', 'storage', gigabytes, PRICES.postgres_storage),
  ]
  const total_usd = cents(lines.reduce((sum, { usd }) => sum + (usd ?? 0), 0))
  return { lines, total_usd, assumptions: a }
}

function sendingLine(mails: number, kind: Account['kind'] | null): CostLine {
  switch (kind) {
    case 'ses':
      return line('sending', 'Amazon SES', mails, PRICES.ses_mails)
    case 'sendgrid':
      return sendGridLine(mails)
    case 'smtp':
      return unpriced(mails, 'SMTP', 'not known here: ask whose server it is')
    case null:
      return unpriced(mails, 'no account', 'no account may send this')
  }
}

const unpriced = (mails: number, item: string, price: string): CostLine => ({
  service: 'sending',
  item,
  quantity: mails,
  unit: 'mails',
  usd: null,
  price,
  included_per_month: 0,
  source: null,
  price_read: null,
})

/** This campaign's share of the smallest month that holds it, and what is over at the price of a single mail. */
function sendGridLine(mails: number): CostLine {
  const [small, large] = SENDGRID_PLANS
  const plan = mails <= small.mails ? small : large
  const within = Math.min(mails, plan.mails)
  const over = mails - within
  const share = `${plan.usd_per_month} USD a month for ${plan.mails.toLocaleString('en')} mails (${plan.plan}), by share`
  return {
    service: 'sending',
    item: 'SendGrid',
    quantity: mails,
    unit: 'mails',
    usd: cents((within / plan.mails) * plan.usd_per_month + over * plan.usd_per_mail_over),
    price: over > 0 ? `${share}; ${plan.usd_per_mail_over} USD for each mail over` : share,
    included_per_month: 0,
    source: SENDGRID_SOURCE.source,
    price_read: SENDGRID_SOURCE.read,
  }
}

function line(service: CostLine['service'], item: string, amount: number, price: Price): CostLine {
  const quantity = price.per === 1 ? Math.round(amount * 1000) / 1000 : Math.ceil(amount)
  return {
    service,
    item,
    quantity,
    unit: price.unit,
    usd: cents((quantity / price.per) * price.usd),
    price: `${price.usd} USD per ${price.per === 1 ? '' : `${price.per.toLocaleString('en')} `}${price.unit}`,
    included_per_month: price.included,
    source: price.source,
    price_read: price.read,
  }
}

/** To the cent: nothing here is known better. */
const cents = (usd: number) => Math.round(usd * 100) / 100
