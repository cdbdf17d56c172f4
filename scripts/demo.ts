// `npm run demo`: a real campaign on this computer, from CSV to a report that is checked. `--help` lists the options.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Stack, startStack } from '../local/stack.ts'
import { compare, type Stats, type Sums } from './demo/compare.ts'
import { readInbox } from './demo/inbox.ts'
import { actAsReaders, type Deeds } from './demo/readers.ts'
import { differences, formatReport } from './demo/report.ts'
import { subscribersFile } from './demo/subscribers.ts'
import { type Api, openApi } from './import/api.ts'
import { importFile } from './import-file.ts'

const HELP = `npm run demo -- [options]

  --subscribers N   size of the audience (default 1000)
  --keep            leave everything running afterwards and say where
  --json            print one JSON object, and progress on standard error
`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    subscribers: { type: 'string', default: '1000' },
    keep: { type: 'boolean' },
    json: { type: 'boolean' },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
const size = Number(values.subscribers)
if (!Number.isInteger(size) || size < 1 || size > 1_000_000) {
  console.error(`--subscribers takes a whole number from 1 to 1000000, not "${values.subscribers}"`)
  process.exit(1)
}

const FOLDER = fileURLToPath(new URL('../.local-demo', import.meta.url))
const TEMPLATE = fileURLToPath(new URL('../examples/templates/newsletter.mjml', import.meta.url))
/** Longest wait for the counters after the last reader, in ms. */
const FLUSH_PATIENCE = 60_000

/** Progress goes where the result does not. */
const say = (line: string) => (values.json ? console.error(line) : console.log(line))

interface CampaignStatus {
  status: string
  status_reason: string | null
  deliveries: Sums
}

const started = Date.now()
const seconds = () => Math.round((Date.now() - started) / 100) / 10
let stack: Stack | undefined
let interrupted: () => void = () => undefined
const interruption = new Promise<void>((resolve) => {
  interrupted = resolve
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted)

try {
  const finished = run()
  await Promise.race([finished, interruption.then(() => Promise.reject(new Error('interrupted')))])
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
  if (stack) console.error(`The Workers' log is ${stack.log}`)
} finally {
  await stack?.stop()
}
process.exit()

async function run(): Promise<void> {
  say('Starting Postgres, Redis, a mail server and the three Workers on this computer')
  stack = await startStack({ dir: FOLDER, reset: true, tick_seconds: 5 })
  const api = openApi(stack.api_url, stack.api_key)

  const { file, active } = await subscribersFile(size, FOLDER)
  say(`Importing ${file}`)
  const imported = await importFile({
    file,
    list: 'Harbour readers',
    api_url: stack.api_url,
    api_key: stack.api_key,
  })
  const { list_id } = imported
  const campaign_id = await createCampaign(api, list_id)

  const began = Date.now()
  await api.post(`/campaigns/${campaign_id}/send`, undefined)
  const status = await watch(api, campaign_id)
  const rate = Math.round(status.deliveries.sent / Math.max((Date.now() - began) / 1000, 0.1))
  say(`Sent ${status.deliveries.sent} mails over SMTP, ${rate} a second`)

  const mails = await readInbox(stack.inbox_url)
  say('Reading them: opens, clicks, one-click unsubscribes, and a scanner that must unsubscribe nobody')
  const deeds = await actAsReaders(stack.inbox_url, mails)
  const stats = await flushed(api, stack, campaign_id, deeds)

  const lines = await compare(api, {
    campaign_id,
    list_id,
    stats,
    rows: size,
    active,
    imported: imported.created,
    mails,
    deeds,
  })
  const wrong = differences(lines)
  if (values.json) {
    const { audience, sent, failed, skipped, unconfirmed } = stats.deliveries
    const { unique_opens, clicks, unique_unsubscribes: unsubscribed } = stats
    const inbox_unique = new Set(mails.map((mail) => mail.to)).size
    console.log(
      JSON.stringify({
        audience,
        sent,
        failed,
        skipped,
        unconfirmed,
        inbox_unique,
        unique_opens,
        clicks,
        unsubscribed,
        seconds: seconds(),
      }),
    )
    for (const line of wrong) console.error(`${line.name}: ${line.reported}, expected ${line.expected}`)
  } else {
    say(`\nWhat the kit says, against what was done:\n\n${formatReport(lines)}\n`)
    say(wrong.length === 0 ? `Every number is right. ${seconds()} seconds.` : `${wrong.length} numbers are wrong.`)
  }
  if (wrong.length > 0) process.exitCode = 1

  if (values.keep) {
    say(`
API       ${stack.api_url}/api/v1
Docs      ${stack.docs_url}
Inbox     ${stack.inbox_url}
API key   ${stack.api_key}
Postgres  ${stack.database_url}

Ctrl-C stops everything.`)
    await interruption
  }
}

async function createCampaign(api: Api, list_id: number): Promise<number> {
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
  const campaign = await api.post<{ id: number }>('/campaigns', {
    name: 'Spring letter',
    subject: '{{default first_name "Friend"}}, the boats are back in the water ⛵',
    preheader: 'Three short reads and an open door',
    template_id: template.id,
    sender_id: sender.id,
    audience: { include: [list_id] },
  })
  return campaign.id
}

/** Shows how far the campaign is until it has ended. */
async function watch(api: Api, campaign_id: number): Promise<CampaignStatus> {
  let shown = ''
  while (true) {
    const campaign = await api.get<CampaignStatus>(`/campaigns/${campaign_id}`)
    const { audience, open, sent, failed, skipped } = campaign.deliveries
    const line = `Sending: ${audience - open} of ${audience} (${sent} sent, ${failed} failed, ${skipped} skipped)`
    if (process.stderr.isTTY) process.stderr.write(`\r${line}`)
    else if (line !== shown) console.error(line)
    shown = line
    if (campaign.status !== 'sending') {
      if (process.stderr.isTTY) process.stderr.write('\n')
      if (campaign.status !== 'sent') throw new Error(`the campaign is ${campaign.status}: ${campaign.status_reason}`)
      return campaign
    }
    await sleep(250)
  }
}

/** Lets cron run until everything done is in the counters, or no more comes. */
async function flushed(api: Api, { tick }: Stack, campaign_id: number, deeds: Deeds): Promise<Stats> {
  const patience = Date.now() + FLUSH_PATIENCE
  while (true) {
    await tick()
    const stats = await api.get<Stats>(`/campaigns/${campaign_id}/stats`)
    const arrived =
      stats.opens >= deeds.opens && stats.clicks >= deeds.clicks && stats.unsubscribes >= deeds.unsubscribed.size
    if (arrived || Date.now() > patience) return stats
    await sleep(500)
  }
}
