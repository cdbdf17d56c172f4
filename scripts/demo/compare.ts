// Every number the kit tells of a campaign, held against what was done.
import type { Api } from '../import/api.ts'
import type { Arrived } from './inbox.ts'
import { allRows } from './pages.ts'
import type { Deeds } from './readers.ts'

export interface Sums {
  audience: number
  open: number
  sent: number
  failed: number
  skipped: number
  unconfirmed: number
}

export interface Stats {
  deliveries: Sums
  opens: number
  unique_opens: number
  clicks: number
  unique_clicks: number
  unsubscribes: number
  unique_unsubscribes: number
  links: { url: string; clicks: number }[]
  series: { points: { opens: number; clicks: number; unsubscribes: number }[] }
}

/** One number: what the kit says, and what must be true. */
export interface Line {
  name: string
  reported: number | string
  expected: number | string
}

export interface Done {
  campaign_id: number
  list_id: number
  stats: Stats
  /** Rows of the file, and those of them that may be mailed. */
  rows: number
  active: number
  imported: number
  mails: readonly Arrived[]
  deeds: Deeds
}

export async function compare(api: Api, done: Done): Promise<Line[]> {
  const { stats, deeds, mails } = done
  const { audience, open, sent, failed, skipped, unconfirmed } = stats.deliveries
  const inbox = new Set(mails.map((mail) => mail.to))
  const ledger = await readLedger(api, done.campaign_id)
  const left = await readLeavers(api, done.list_id)
  const byHour = (key: 'opens' | 'clicks' | 'unsubscribes') =>
    stats.series.points.reduce((sum, hour) => sum + hour[key], 0)
  const reported_links = new Map<string, number>()
  for (const { url, clicks } of stats.links) reported_links.set(url, (reported_links.get(url) ?? 0) + clicks)

  return [
    line('rows imported', done.imported, done.rows),
    line('audience', audience, done.active),
    line('sent', sent, done.active),
    line('sent + failed + skipped + unconfirmed + open', sent + failed + skipped + unconfirmed + open, audience),
    line('mails in the inbox', mails.length, sent),
    line('different recipients in the inbox', inbox.size, sent),
    line('recipients of the ledger that are in the inbox', common(ledger.sent, inbox), inbox.size),
    line('opens', stats.opens, deeds.opens),
    line('unique opens', stats.unique_opens, deeds.openers.size),
    line('unique opens, person by person', common(ledger.opened, deeds.openers), deeds.openers.size),
    line('clicks', stats.clicks, deeds.clicks),
    line('unique clicks', stats.unique_clicks, deeds.clickers.size),
    line('unique clicks, person by person', common(ledger.clicked, deeds.clickers), deeds.clickers.size),
    line('clicks by link', linkTotals(reported_links), linkTotals(deeds.clicked)),
    line('opens by hour', byHour('opens'), deeds.opens),
    line('clicks by hour', byHour('clicks'), deeds.clicks),
    line('unsubscribes', stats.unique_unsubscribes, deeds.unsubscribed.size),
    line('off the list now, person by person', common(left, deeds.unsubscribed), deeds.unsubscribed.size),
  ]
}

const line = (name: string, reported: number | string, expected: number | string): Line => ({
  name,
  reported,
  expected,
})

/** How many are in both; -1 when one has somebody the other lacks. */
function common(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  return a.size === b.size && [...a].every((email) => b.has(email)) ? a.size : -1
}

/** Clicks of each address that has any. */
function linkTotals(clicks: ReadonlyMap<string, number>): string {
  return [...clicks]
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([url, count]) => `${count}x ${new URL(url).pathname}`)
    .join(', ')
}

async function readLedger(api: Api, campaign_id: number) {
  const ledger = { sent: new Set<string>(), opened: new Set<string>(), clicked: new Set<string>() }
  for await (const row of allRows<{
    email: string
    state: string
    first_opened_at: string | null
    first_clicked_at: string | null
  }>(api, `/campaigns/${campaign_id}/deliveries`)) {
    const email = row.email.toLowerCase()
    if (row.state === 'sent') ledger.sent.add(email)
    if (row.first_opened_at) ledger.opened.add(email)
    if (row.first_clicked_at) ledger.clicked.add(email)
  }
  return ledger
}

/** Who left the list by the campaign: those whom the file already named as unsubscribed are so everywhere. */
async function readLeavers(api: Api, list_id: number): Promise<Set<string>> {
  const left = new Set<string>()
  for await (const member of allRows<{ subscriber: { email: string; status: string } }>(
    api,
    `/lists/${list_id}/subscribers?status=unsubscribed`,
  )) {
    if (member.subscriber.status === 'active') left.add(member.subscriber.email.toLowerCase())
  }
  return left
}
