import type { FieldError } from '../../http/problem.ts'
import { readPage } from './page.ts'

/**
 * Whether one rendered mail shows what every marketing mail must show: the sender's postal address and a link that
 * unsubscribes this recipient (CAN-SPAM 15 USC 7704(a)(3) and (5), CASL section 6). Looks at what a reader sees, not at
 * the template: text in comments or hidden elements does not count.
 *
 * @returns what is missing; empty when nothing is
 */
export function missingFrom(
  mail: { html: string; text: string },
  postal_address: string,
  unsubscribe_url: string,
): FieldError[] {
  const html = readPage(mail.html)
  const missing: FieldError[] = []
  const address = letters(postal_address)
  if (!letters(html.text).includes(address)) missing.push(problem('HTML part', POSTAL))
  if (!letters(mail.text).includes(address)) missing.push(problem('text part', POSTAL))
  if (!html.hrefs.includes(unsubscribe_url)) missing.push(problem('HTML part', UNSUBSCRIBE))
  if (!mail.text.includes(unsubscribe_url)) missing.push(problem('text part', UNSUBSCRIBE))
  return missing
}

const POSTAL = "lacks the sender's postal address: put {{sender.postal_address}} where readers see it"
const UNSUBSCRIBE = 'lacks a working unsubscribe link: link to {{unsubscribe_url}} where readers see it'

const problem = (part: string, detail: string): FieldError => ({
  field: 'template_id',
  detail: `its ${part} ${detail}`,
})

/** Letters and digits only: an address may be broken into lines or set with commas as the author likes. */
const letters = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
