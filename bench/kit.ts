// The kit as it stands, sending campaigns to the sink: real Postgres, Redis, queues and Workers.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startStack } from '../local/stack.ts'
import { type Api, openApi } from '../scripts/import/api.ts'
import { csvLine, importFile } from '../scripts/import-file.ts'
import { HEADER, subscriberRows } from '../scripts/make-subscribers.ts'

const TEMPLATE = fileURLToPath(new URL('../examples/templates/newsletter.mjml', import.meta.url))
/** The ledger knows what the sink took this long after it at the latest, in ms. */
const PATIENCE = 60_000

export interface Kit {
  database_url: string
  /** Log of the three Workers. */
  log: string
  /** Makes a campaign to the first `recipients` people; `send` starts it. */
  campaign(recipients: number): Promise<{ id: number; send: () => Promise<unknown> }>
  /** Waits for the campaign's end. @throws when its ledger says other than that all were sent */
  finished(id: number, recipients: number): Promise<void>
  stop(): Promise<void>
}

export async function startKit(dir: string, sink_port: number): Promise<Kit> {
  const account = { name: 'sink', kind: 'smtp', host: '127.0.0.1', port: sink_port, tls: 'none' }
  const stack = await startStack({ dir, tick_seconds: 0, vars: { ACCOUNTS: JSON.stringify([account]) } })
  try {
    const api = openApi(stack.api_url, stack.api_key)
    const { sender_id, template_id } = await prepare(api)
    const lists = new Map<number, number>()
    return {
      database_url: stack.database_url,
      log: stack.log,
      async campaign(recipients) {
        const list_id = lists.get(recipients) ?? (await importList(dir, stack, recipients))
        lists.set(recipients, list_id)
        const { id } = await api.post<{ id: number }>('/campaigns', {
          name: `${recipients} mails`,
          subject: '{{default first_name "Friend"}}, the boats are back in the water ⛵',
          preheader: 'Three short reads and an open door',
          template_id,
          sender_id,
          audience: { include: [list_id] },
        })
        return { id, send: () => api.post(`/campaigns/${id}/send`, undefined) }
      },
      async finished(id, recipients) {
        for (const end = Date.now() + PATIENCE; ; await sleep(50)) {
          const { status, deliveries } = await api.get<{ status: string; deliveries: { sent: number } }>(
            `/campaigns/${id}`,
          )
          if (status === 'sent' && deliveries.sent === recipients) return
          if (status !== 'sending' || Date.now() > end) {
            throw new Error(`the campaign is "${status}" with ${deliveries.sent} of ${recipients} sent`)
          }
        }
      },
      stop: stack.stop,
    }
  } catch (error) {
    await stack.stop()
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
