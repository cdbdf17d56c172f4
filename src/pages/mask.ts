/** An address as it may be shown to whoever holds a mail that was passed on: the first character and the domain. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@')
  const [first = ''] = Array.from(email.slice(0, at))
  return `${first}***${email.slice(at)}`
}
