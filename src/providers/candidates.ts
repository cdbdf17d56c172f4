/** What choosing an account looks at. */
interface Choosable {
  name: string
  from_domains?: readonly string[] | null | undefined
  pool?: string | null | undefined
}

/**
 * The accounts that may carry a mail, the first choice first: the one that is named, or else the first that may send from
 * this domain; then those of its pool that may, in their order. Empty when there is none, or the one that is named may not.
 *
 * @param name - as campaign or sender name it; null for the first
 * @param from_email - whose mail it is
 */
export function candidateAccounts<Account extends Choosable>(
  accounts: readonly Account[],
  name: string | null,
  from_email: string,
): Account[] {
  const domain = from_email.slice(from_email.lastIndexOf('@') + 1).toLowerCase()
  const allowed = accounts.filter(({ from_domains }) => !from_domains || from_domains.includes(domain))
  const chosen = name === null ? allowed[0] : allowed.find((account) => account.name === name)
  if (!chosen) return []
  const others = allowed.filter(({ name, pool }) => pool && pool === chosen.pool && name !== chosen.name)
  return [chosen, ...others]
}
