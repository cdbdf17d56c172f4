/** Characters of a provider's answer that are kept. */
const KEPT = 200

/**
 * A provider's answer as it may be stored and logged: one line, at most 200 characters, without the recipient's address.
 * @param recipients the address in each spelling it travelled in
 */
export function answerText(text: string, ...recipients: string[]): string {
  let line = text.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  for (const recipient of recipients) {
    // Nearly every answer is a plain acceptance: it must not cost a regular expression.
    if (recipient === '' || !line.toLowerCase().includes(recipient.toLowerCase())) continue
    const escaped = recipient.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
    line = line.replace(new RegExp(`<${escaped}>|${escaped}`, 'gi'), '<recipient>')
  }
  return line.slice(0, KEPT)
}
