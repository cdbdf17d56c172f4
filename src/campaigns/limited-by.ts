import { sql } from 'drizzle-orm'
import type { Services } from '../http/services.ts'
import { candidateAccounts } from '../providers/candidates.ts'
import type { AccountState, LimitingFactor, Standing } from '../sending/permit.ts'

/** What a campaign that is sending waits for. */
export interface LimitedBy {
  factor: LimitingFactor
  account: string
  /** For a person to read. */
  detail: string
}

/**
 * What holds a sending campaign up: the state of the account that carries it now, which is the first of its candidates that
 * is not down. Null when nothing of ours does: then it is as fast as the queue and the service are. Null also when the
 * sending Worker does not answer.
 */
export async function limitedBy(
  { db, sender }: Pick<Services, 'db' | 'sender'>,
  campaign_id: number,
): Promise<LimitedBy | null> {
  const [accounts, { rows }] = await Promise.all([
    sender.listAccounts().catch((): AccountState[] => []),
    db.execute<{ account: string | null; from_email: string }>(sql`
      select snapshot -> 'sender' ->> 'account' as account, snapshot -> 'sender' ->> 'from_email' as from_email
      from campaigns where id = ${campaign_id} and status = 'sending'`),
  ])
  const [sent_from] = rows
  if (!sent_from) return null
  const candidates = candidateAccounts(accounts, sent_from.account, sent_from.from_email)
  const carrying = candidates.find(({ standing }) => !standing?.down) ?? candidates[0]
  if (!carrying?.standing) return null
  const { name, standing } = carrying
  if (standing.down) return { factor: 'down', account: name, detail: downDetail(standing.down) }
  const { limited_by } = standing
  return limited_by && { factor: limited_by, account: name, detail: detailOf(limited_by, carrying, standing) }
}

const downDetail = ({ reason, retry_in_ms }: NonNullable<Standing['down']>) =>
  `${reason} It is tried again in ${Math.ceil(retry_in_ms / 1000)} seconds.`

function detailOf(factor: LimitingFactor, account: AccountState, standing: Standing): string {
  const rate = `${Math.round((standing.rate_per_second ?? 0) * 10) / 10} mails a second`
  switch (factor) {
    case 'connections':
      return `All ${account.max_connections} connections (max_connections) are in use.`
    case 'rate':
      return `It sends ${rate}, as its configuration or the service says.`
    case 'throttled':
      return `The service asked to slow down: ${rate} for now, rising by itself.`
    case 'day':
      return `${standing.sent_last_day} of the ${standing.per_day ?? 0} mails of 24 hours are sent; it goes on as older ones pass.`
    case 'down':
      return 'It did not answer a moment ago.'
  }
}
