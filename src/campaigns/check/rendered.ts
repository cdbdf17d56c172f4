import { buildMessage } from '../../mime/message.ts'
import { UnsendableMail } from '../../providers/provider.ts'
import { DeadLinkError, RenderError } from '../../render/errors.ts'
import { type RecipientMail, renderForRecipient } from '../../render/recipient.ts'
import { prepareContent } from '../../render/render.ts'
import { type Composing, composeMail } from '../../sending/compose.ts'
import type { Snapshot } from '../snapshot.ts'
import { missingFrom } from './compliance.ts'
import type { Finding } from './finding.ts'
import { type Person, STRANGER } from './people.ts'

/** What came of rendering a campaign for some of its audience. */
export interface Rendered {
  errors: Finding[]
  warnings: Finding[]
  /** The largest of the mails; null when none could be made. */
  mail: RecipientMail | null
  /** As they are shown, each once. */
  subjects: string[]
  /** Of the largest mail; of the message with a usual length of headers. */
  size: { html_bytes: number; text_bytes: number; message_bytes: number } | null
}

/**
 * More of a batch than this cannot be rendered: then the campaign pauses itself (sending/batch.ts). Whoever is among the
 * others fails alone.
 */
const TOLERATED = 0.01

/** Renders a campaign for real people and for a stranger, and checks what each would see. */
export async function renderForSome(
  s: Composing & { now: () => Date },
  snapshot: Snapshot,
  people: readonly Person[],
): Promise<Rendered> {
  const campaign = { id: snapshot.campaign.id, snapshot, renderer: prepareContent(snapshot) }
  const mails: { mail: RecipientMail; person: Person }[] = []
  const failures: { person: Person; message: string }[] = []
  const errors = new Map<string, Finding>()
  for (const person of [...people, STRANGER]) {
    try {
      const mail = await renderForRecipient(campaign, person, s, true)
      mails.push({ mail, person })
      for (const error of faultsOf(mail, snapshot, person)) errors.set(error.detail, error)
    } catch (error) {
      if (!(error instanceof RenderError)) throw error
      // Links that only some have the data for are for those to follow; a stranger is nobody's recipient.
      if (error instanceof DeadLinkError && person === STRANGER) continue
      failures.push({ person, message: error.message })
    }
  }
  const unrendered = failures.map(({ person, message }) => `it cannot be rendered for ${who(person)}: ${message}`)
  const real = failures.filter(({ person }) => person !== STRANGER)
  const few = real.length === failures.length && real.length <= people.length * TOLERATED
  if (!few) for (const detail of unrendered) errors.set(detail, { code: 'cannot_render', field: 'template_id', detail })
  const [largest] = mails.toSorted((a, b) => b.mail.html.length - a.mail.html.length)
  return {
    errors: [...errors.values()].slice(0, MOST_ERRORS),
    warnings: few ? unrendered.map((detail) => ({ code: 'cannot_render', field: 'template_id', detail })) : [],
    mail: largest?.mail ?? null,
    subjects: [...new Set(mails.map(({ mail }) => mail.subject))],
    size: largest ? sizeOf(largest.mail, await messageBytes()) : null,
  }

  async function messageBytes(): Promise<number | null> {
    try {
      return buildMessage(await composeMail(campaign, largest?.person ?? STRANGER, s, s.now(), undefined)).bytes.length
    } catch (error) {
      if (error instanceof UnsendableMail) return null
      throw error
    }
  }
}

/** A template at fault is at fault for everyone; a few say as much as all. */
const MOST_ERRORS = 10

function faultsOf(mail: RecipientMail, { sender }: Snapshot, person: Person): Finding[] {
  if (!mail.subject) {
    return [{ code: 'subject_empty', field: 'subject', detail: `the subject is empty for ${who(person)}` }]
  }
  const missing = missingFrom(mail, sender.postal_address, mail.unsubscribe_url)
  return missing.map((fault) => ({ code: 'not_compliant', ...fault }))
}

const who = (person: Person) =>
  person === STRANGER ? 'a subscriber without name and attributes' : `subscriber ${person.subscriber_id}`

function sizeOf({ html, text }: RecipientMail, message_bytes: number | null): Rendered['size'] {
  const html_bytes = bytesOf(html)
  const text_bytes = bytesOf(text)
  // One that no server would take has no form; what it would weigh is still its parts.
  return { html_bytes, text_bytes, message_bytes: message_bytes ?? html_bytes + text_bytes }
}

const bytesOf = (text: string) => new TextEncoder().encode(text).length
