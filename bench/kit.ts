// The kit as it stands, sending campaigns: real Postgres, Redis, queues and Workers, each setting that of an installation.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { startNeon } from '../local/neon.ts'
import { startStack } from '../local/stack.ts'
import { type Api, openApi } from '../scripts/import/api.ts'
import { importFile } from '../scripts/import-file.ts'
import { csvLine, HEADER, subscriberRows } from '../scripts/make-subscribers.ts'
import { ourWorkerds, usageOf } from './processes.ts'

const TEMPLATE = fileURLToPath(new URL('../examples/templates/newsletter.mjml', import.meta.url))
/** The ledger knows what the sink took this long after it at the latest, in ms. */
const PATIENCE = 60_000

export interface Kit {
  database_url: string
  /** Log of the three Workers. */
  log: string
  /** Makes a campaign to the first `recipients` people; `send` starts it. */
  campaign(recipients: number): Promise<StartableCampaign>
  /** Makes a campaign to everybody on a list. */
  campaignTo(list_id: number): Promise<StartableCampaign>
  /**
   * Waits for the campaign's end, without asking the Workers.
   * @throws when its ledger says other than that all were sent
   */
  finished(id: number, recipients: number): Promise<void>
  /** SQL statements of the Workers since the start. */
  statements(): number
  /** Of the workerd that runs the three Workers, the queues and the gate; null where it cannot be told. */
  usage(): ReturnType<typeof usageOf>
  sql: Client['query']
  stop(): Promise<void>
}

export interface StartableCampaign {
  id: number
  send: () => Promise<unknown>
}

/**
 * @param account - the one account in ACCOUNTS
 * @param options.vars - settings other than those of a fresh installation
 * @param options.heard - called with every statement of the Workers
 */
export async function startKit(
  dir: string,
  account: object,
  options: { vars?: Record<string, string>; heard?: (query: string) => void } = {},
): Promise<Kit> {
  let statements = 0
  // An endpoint of our own: what passes through it is counted.
  const neon = await startNeon({
    heard(query) {
      statements++
      options.heard?.(query)
    },
  })
  const ends: (() => Promise<unknown>)[] = [neon.stop]
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const settings = { NEON_PROXY: neon.host, ACCOUNTS: JSON.stringify([account]), ...options.vars }
    const stack = await startStack({ dir, tick_seconds: 0, vars: settings })
    ends.push(stack.stop)
    const postgres = new Client({ connectionString: stack.database_url })
    await postgres.connect()
    ends.push(() => postgres.end())
    const workerds = ourWorkerds()
    const api = openApi(stack.api_url, stack.api_key)
    const { sender_id, template_id } = await prepare(api)
    const lists = new Map<number, number>()
    const campaignTo = async (list_id: number) => {
      const { id } = await api.post<{ id: number }>('/campaigns', {
        name: 'The Harbour Letter',
        subject: '{{default first_name "Friend"}}, the boats are back in the water ⛵',
        preheader: 'Three short reads and an open door',
        template_id,
        sender_id,
        audience: { include: [list_id] },
      })
      return { id, send: () => api.post(`/campaigns/${id}/send`, undefined) }
    }
    return {
      database_url: stack.database_url,
      log: stack.log,
      campaignTo,
      async campaign(recipients) {
        const list_id = lists.get(recipients) ?? (await importList(dir, stack, recipients))
        lists.set(recipients, list_id)
        return await campaignTo(list_id)
      },
      async finished(id, recipients) {
        for (const end = Date.now() + PATIENCE; ; await sleep(50)) {
          const { rows } = await postgres.query<{ status: string; sent: number }>(
            `select c.status, (select coalesce(sum(b.sent), 0)::int from batches b where b.campaign_id = c.id) as sent
              from campaigns c where c.id = $1`,
            [id],
          )
          const { status, sent } = rows[0] ?? { status: 'gone', sent: 0 }
          if (status === 'sent' && sent === recipients) return
          if (status !== 'sending' || Date.now() > end) {
            throw new Error(`the campaign is "${status}" with ${sent} of ${recipients} sent`)
          }
        }
      },
      statements: () => statements,
      usage: () => usageOf(workerds),
      sql: postgres.query.bind(postgres),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function prepare(api: Api): Promise<{ sender_id: number; template_id: number }> {
  const sender = await api.post<{ id: number }>('/senders', {
    name: 'The Harbour Letter',
    from_name: 'The Harbour Letter',
    from_email: 'letter@harbour.example',
    reply_to: 'hello@harbour.example',
    postal_address: 'Harbour Workshop, 12 Quay Street, Bristol BS1 4DJ, United Kingdom',
  })
  const template = await api.post<{ id: number }>('/templates', {
    name: 'The Harbour Letter',
    format: 'mjml',
    source: readFileSync(TEMPLATE, 'utf8'),
  })
  return { sender_id: sender.id, template_id: template.id }
}

/** A list of so many people, none of whom has opted out. */
async function importList(dir: string, stack: { api_url: string; api_key: string }, count: number): Promise<number> {
  const file = join(dir, `${count}.csv`)
  const status = HEADER.indexOf('status')
  let csv = csvLine(HEADER)
  let people = 0
  for (const row of subscriberRows(count * 2)) {
    if (row[status] !== 'active') continue
    csv += csvLine(row)
    if (++people === count) break
  }
  writeFileSync(file, csv)
  const { api_url, api_key } = stack
  return (await importFile({ file, list: `${count} people`, api_url, api_key })).list_id
}
