// What a mail that came to a mail's return path says of that mail.
import { judgeBounce } from './bounce.ts'
import { type Fields, readFields } from './dsn-fields.ts'
import type { IncomingMail } from './dsn-mail.ts'
import { isAutomaticReply, readWording } from './dsn-wording.ts'
import type { FeedbackKind } from './event.ts'

/**
 * - `report`: news of the mail
 * - `reply`: a person's absence, a receipt, a change of address: no news
 * - `unclear`: nothing we can read; what nobody understands has no consequence
 */
export type MailReport = { is: 'report'; kind: FeedbackKind; diagnostic: string | null } | { is: 'reply' | 'unclear' }

/**
 * Reads a delivery status notification (RFC 3464), a complaint (RFC 5965), or one of the many notices in plain words.
 *
 * Only the mail itself is read, never a mail in it: that is what the report is about.
 *
 * @param null_sender - whether its envelope has no sender, as that of a notice must (RFC 5321, section 4.5.5)
 */
export function readReport(mail: IncomingMail, null_sender: boolean): MailReport {
  const complaint = mail.part('message/feedback-report')
  if (complaint !== null) return readComplaint(complaint)
  const status = mail.part('message/delivery-status') ?? mail.part('message/global-delivery-status')
  const told = status === null ? null : readStatus(status, mail)
  if (told) return told
  const worded = readWording(mail, null_sender)
  if (worded) return { is: 'report', ...worded }
  return { is: isAutomaticReply(mail) ? 'reply' : 'unclear' }
}

/** Of the types that are registered, those that a person makes by a button of the mail program. */
const COMPLAINTS = new Set(['abuse', 'fraud', 'opt-out', 'opt-out-list', 'miscategorized'])

function readComplaint(text: string): MailReport {
  const type = readFields(text)[0]?.get('feedback-type')?.toLowerCase() ?? ''
  // "not-spam" and "auth-failure" are said of mails that nobody complained about.
  return COMPLAINTS.has(type)
    ? { is: 'report', kind: 'complaint', diagnostic: `feedback-type: ${type}` }
    : { is: 'unclear' }
}

/**
 * The mildest first. A mail to one address may have been passed on to several: what reached one of them was not in vain, and
 * the address is dead only if it is for all.
 */
const MILDEST: readonly FeedbackKind[] = ['delivered', 'deferred', 'soft_bounce', 'blocked', 'hard_bounce']

function readStatus(text: string, mail: IncomingMail): MailReport | null {
  const reports = readFields(text)
    .filter((fields) => fields.has('action') || fields.has('status'))
    .flatMap((fields) => readRecipient(fields, mail) ?? [])
  const [mildest] = reports.toSorted((a, b) => MILDEST.indexOf(a.kind) - MILDEST.indexOf(b.kind))
  return mildest ? { is: 'report', ...mildest } : null
}

function readRecipient(fields: Fields, mail: IncomingMail): { kind: FeedbackKind; diagnostic: string | null } | null {
  const action = /^[a-z]+/.exec(fields.get('action')?.toLowerCase() ?? '')?.[0]
  const status = /\b[245]\.[0-9]{1,3}\.[0-9]{1,3}\b/.exec(fields.get('status') ?? '')?.[0] ?? null
  const given = fields.get('diagnostic-code') ?? null
  switch (action ?? status?.[0]) {
    case 'delivered':
    // Passed on to where nobody tells, or to the members of a list: the last news there will be.
    case 'relayed':
    case 'expanded':
    case '2':
      return { kind: 'delivered', diagnostic: given ?? status }
    case 'delayed':
    // Without an action nobody says that it was given up.
    case '4':
      return { kind: 'deferred', diagnostic: given ?? status }
    case 'failed':
    case '5': {
      if (status?.startsWith('2')) return null
      const judged = judgeBounce(given, status)
      // Given up on, and nothing says that it is for good: counts when it repeats.
      if (judged || given !== null) return { kind: judged ?? 'soft_bounce', diagnostic: given ?? status }
      // Some say what happened in the part for people only.
      const worded = readWording(mail, true)
      return worded && worded.kind !== 'deferred' ? worded : { kind: 'soft_bounce', diagnostic: status }
    }
  }
  return null
}
