import { invalidField } from '../http/problem.ts'
import type { SenderRpc } from '../http/services.ts'
import type { AccountSummary } from '../providers/account.ts'
import { candidateAccounts } from '../providers/candidates.ts'
import type { AccountState } from '../sending/permit.ts'

/**
 * Why a sending account cannot carry mail from an address, for a person to read behind the field's name; null when it can,
 * or when the sending Worker cannot be asked: the send loop asks once more, and pauses the campaign with the reason.
 *
 * @param name - null for the first account that may
 */
async function accountFault(sender: SenderRpc, name: string | null, from_email: string): Promise<string | null> {
  const accounts = await listAccounts(sender)
  return accounts && faultAmong(accounts, name, from_email)
}

/** The same of accounts that are known. */
export function faultAmong(
  accounts: readonly AccountSummary[],
  name: string | null,
  from_email: string,
): string | null {
  if (candidateAccounts(accounts, name, from_email).length > 0) return null
  if (name !== null && !accounts.some((account) => account.name === name)) {
    return `names no sending account: ${thereIs(accounts)}`
  }
  const domain = from_email.slice(from_email.lastIndexOf('@') + 1)
  const able = accounts.filter((account) => candidateAccounts([account], account.name, from_email).length > 0)
  const others = able.length > 0 ? `; these may: ${namesOf(able)}` : ', nor may any other'
  return name === null
    ? `has an address at ${domain}, which no sending account may send from: ${thereIs(accounts)}`
    : `names a sending account that may not send from ${domain}${others}`
}

/**
 * Refuses an account that is named and cannot be used.
 *
 * @param field - what the caller must change
 * @throws {Problem} validation_failed
 */
export async function checkAccount(
  sender: SenderRpc,
  { account, from_email }: { account: string | null; from_email: string },
  field: string,
): Promise<void> {
  if (account === null) return
  const fault = await accountFault(sender, account, from_email)
  if (fault) throw invalidField(field, field === 'account' ? fault : `does not fit account ${account}: it ${fault}`)
}

/** Null when the sending Worker does not answer. */
export async function listAccounts(sender: SenderRpc): Promise<AccountState[] | null> {
  try {
    return await sender.listAccounts()
  } catch {
    return null
  }
}

const namesOf = (accounts: readonly AccountSummary[]) => accounts.map(({ name }) => name).join(', ')

const thereIs = (accounts: readonly AccountSummary[]) =>
  accounts.length === 0 ? 'there is none' : `there ${accounts.length === 1 ? 'is' : 'are'} ${namesOf(accounts)}`
