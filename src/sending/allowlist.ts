/** Who may be mailed at all, from RECIPIENT_ALLOWLIST: addresses and `@domain`s, comma separated; `*` is everybody. */
export type Allowlist = (email: string) => boolean

/** @param text - RECIPIENT_ALLOWLIST; empty allows nobody */
export function parseAllowlist(text: string): Allowlist {
  const entries = new Set(
    text
      .toLowerCase()
      .split(',')
      .map((entry) => entry.trim())
      .filter(Boolean),
  )
  if (entries.has('*')) return () => true
  return (email) => {
    const address = email.toLowerCase()
    return entries.has(address) || entries.has(address.slice(address.lastIndexOf('@')))
  }
}
