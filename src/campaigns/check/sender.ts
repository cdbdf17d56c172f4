import { candidateAccounts } from '../../providers/candidates.ts'
import { faultAmong } from '../../senders/account.ts'
import type { AccountState } from '../../sending/permit.ts'
import type { Plan } from '../plan.ts'
import type { Finding } from './finding.ts'
import { PROVIDER_OF } from './mailbox-providers.ts'

/** Whether there is an account that may carry this mail. @param accounts - null when the sending Worker does not answer */
export function accountErrors(accounts: readonly AccountState[] | null, { account, sender }: Plan): Finding[] {
  const fault = accounts && faultAmong(accounts, sender.account, sender.from_email)
  if (!fault) return []
  return account === null
    ? [{ code: 'no_account', field: 'sender_id', detail: `the sender ${fault}` }]
    : [{ code: 'no_account', field: 'account', detail: fault }]
}

export function senderFindings(accounts: readonly AccountState[] | null, { sender }: Plan): Finding[] {
  const found: Finding[] = []
  const domain = sender.from_email.slice(sender.from_email.lastIndexOf('@') + 1)
  const provider = PROVIDER_OF.get(domain)
  if (provider !== undefined) {
    found.push({
      code: 'free_mail_sender',
      field: 'sender_id',
      detail: `The From address is at ${domain}, whose mail only ${provider} may sign: sent by anyone else it fails DMARC, and Gmail, Yahoo and Microsoft refuse it or take it for spam. Send from a domain of your own.`,
    })
  }
  if (accounts === null) {
    found.push({
      code: 'sender_unavailable',
      field: 'sender_id',
      detail:
        'The sending Worker does not answer: whether an account may send this, and how long it takes, is not known.',
    })
    return found
  }
  const candidates = candidateAccounts(accounts, sender.account, sender.from_email)
  const down = candidates.flatMap(({ name, standing }) => (standing?.down ? [{ name, ...standing.down }] : []))
  if (down.length > 0 && down.length === candidates.length) {
    const [first] = down
    found.push({
      code: 'account_down',
      field: 'sender_id',
      detail: `Every account that may send this is held back as down. ${first?.name}: ${first?.reason}`,
    })
  }
  return found
}
