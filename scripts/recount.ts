// `npm run recount`: whether counters are what they count. `--help` says more.
import { parseArgs } from 'node:util'
import { readState, STATE_FOLDER } from '../local/state.ts'
import { connectDatabase } from '../src/db/client.ts'
import { rejudgeCampaign } from '../src/events/rejudge-campaign.ts'
import { countedCampaigns, type Differing, recountCampaign } from '../src/stats/recount.ts'
import { recountActivity } from '../src/stats/recount-activity.ts'

const HELP = `npm run recount -- [options]

Holds every counter against what it counts, campaign by campaign: batches against the ledger; recipients, hours,
countries, clients, devices and totals against the events; delivered, bounces and complaints against the news of mails;
subscribers' activity against the events. Ends with 1 if any differs, and says which. Changes nothing by itself, and may
run while mails are sent and read. Where events are too old to be kept, their counters are believed.

  --repair        put right what differs
  --rejudge       first ask the rules again who was a person, of every event that is kept
  --campaign ID   only this one; may be given many times

The database is the one of DATABASE_URL (at Neon), else that of the running local stack.
`

/** Largest campaigns are read in one statement, in ms. */
const STATEMENT_TIMEOUT = 600_000

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    repair: { type: 'boolean', default: false },
    rejudge: { type: 'boolean', default: false },
    campaign: { type: 'string', multiple: true },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

try {
  const db = connectDatabase(...findDatabase(), STATEMENT_TIMEOUT)
  const campaign_ids = values.campaign?.map(toId) ?? (await countedCampaigns(db))
  let wrong = 0
  const tell = (of: string, found: readonly Differing[]) => {
    for (const { table, rows, examples } of found) {
      wrong += rows
      console.log(
        `${of}: ${table}: ${rows} ${rows === 1 ? 'row differs' : 'rows differ'}${values.repair ? ', put right' : ''}`,
      )
      for (const { key, kept, counted } of examples) {
        console.log(
          `  ${JSON.stringify(key)}\n    kept    ${JSON.stringify(kept)}\n    counted ${JSON.stringify(counted)}`,
        )
      }
      if (rows > examples.length) console.log(`  and ${rows - examples.length} more`)
    }
  }
  for (const campaign_id of campaign_ids) {
    if (values.rejudge) {
      const { events, moved } = await rejudgeCampaign(db, campaign_id)
      if (moved > 0)
        console.log(`campaign ${campaign_id}: ${moved} of ${events} opens and clicks are judged otherwise now`)
    }
    tell(`campaign ${campaign_id}`, await recountCampaign(db, campaign_id, values.repair))
  }
  if (!values.campaign) tell('subscribers', await recountActivity(db, values.repair))
  const campaigns = `${campaign_ids.length} ${campaign_ids.length === 1 ? 'campaign' : 'campaigns'}`
  console.log(wrong === 0 ? `${campaigns}: every counter is what it counts` : `${campaigns}: ${wrong} rows differed`)
  if (wrong > 0 && !values.repair) {
    console.log('`npm run recount -- --repair` puts them right')
    process.exitCode = 1
  }
} catch (error) {
  for (let e = error; e instanceof Error; e = e.cause) console.error(e.message.split('\n')[0])
  process.exitCode = 1
}

function findDatabase(): [url: string, proxy: string] {
  const { DATABASE_URL, NEON_PROXY = '' } = process.env
  if (DATABASE_URL) return [DATABASE_URL, NEON_PROXY]
  const { database_url, ports } = readState(STATE_FOLDER)
  if (!database_url || !ports) throw new Error('DATABASE_URL is not set, and there is no local stack (npm run dev)')
  return [database_url, `127.0.0.1:${ports.neon}`]
}

function toId(text: string): number {
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new Error(`--campaign wants a number, not ${text}`)
  return Number(text)
}
