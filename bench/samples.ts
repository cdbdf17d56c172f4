// The mails that everybody sends: of the campaign that ours has just sent, rendered and ready.
import { readFileSync, writeFileSync } from 'node:fs'
import { Client } from 'pg'
import type { Snapshot } from '../src/campaigns/snapshot.ts'
import type { ClaimedRow } from '../src/ledger/claim.ts'
import { wireAddress } from '../src/mime/address.ts'
import type { Mail } from '../src/providers/provider.ts'
import { prepareContent } from '../src/render/render.ts'
import { composeMail } from '../src/sending/compose.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../src/tokens/development.ts'
import { parseSigningKeys } from '../src/tokens/keys.ts'

/** Different contents among the mails; each recipient gets one of them, so that memory is not what is measured. */
const CONTENTS = 100

export type SampleMail = Omit<Mail, 'date'> & { date: string }

export interface Samples {
  /** In the form for the wire. */
  recipients: string[]
  mails: SampleMail[]
}

export async function writeSamples(file: string, database_url: string, campaign_id: number): Promise<void> {
  const client = new Client({ connectionString: database_url })
  await client.connect()
  try {
    const campaigns = await client.query<{ snapshot: Snapshot }>('select snapshot from campaigns where id = $1', [
      campaign_id,
    ])
    const snapshot = campaigns.rows[0]?.snapshot
    if (!snapshot) throw new Error('the campaign has no snapshot')
    const { rows } = await client.query<ClaimedRow>(
      `select s.id::int as subscriber_id, s.email, s.first_name, s.last_name, s.attributes, s.timezone, s.locale
        from deliveries d join subscribers s on s.id = d.subscriber_id where d.campaign_id = $1 order by s.id`,
      [campaign_id],
    )
    const campaign = { id: campaign_id, snapshot, renderer: prepareContent(snapshot) }
    const keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
    const composing = { signing_keys: keys, link_hosts: () => false, mail_domain: '' }
    const mails = await Promise.all(
      rows.slice(0, CONTENTS).map((row) => composeMail(campaign, row, composing, new Date(), undefined)),
    )
    const recipients = rows.map((row) => wireAddress(row.email, 'to').address)
    writeFileSync(file, JSON.stringify({ recipients, mails }))
  } finally {
    await client.end()
  }
}

export const readSamples = (file: string): Samples => JSON.parse(readFileSync(file, 'utf8'))
