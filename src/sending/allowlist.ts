/** Who may be mailed at all, from RECIPIENT_ALLOWLIST: addresses and `@domain`s, comma separated; `*` is everybody. */
export type Allowlist = (email: string) => boolean

/** The entries of RECIPIENT_ALLOWLIST in lower case, addresses and `@domain`s; null where everybody may be mailed. */
export function allowlistEntries(text: string): ReadonlySet<string> | null {
  const entries = new Set(
    text
      .toLowerCase()
      .split(',')
      .map((entry) => entry.trim())
      .filter(Boolean),
  )
  return entries.has('*') ? null : entries
}

/** @param text - RECIPIENT_ALLOWLIST; empty allows nobody */
export function parseAllowlist(text: string): Allowlist {
  const entries = allowlistEntries(text)
  if (entries === null) return () => true
  return (email) => {
    const address = email.toLowerCase()
    return entries.has(address) || entries.has(address.slice(address.lastIndexOf('@')))
  }
}
