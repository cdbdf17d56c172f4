import { buildMessage } from '../../mime/message.ts'
import { UnsendableMail } from '../../providers/provider.ts'
import { DeadLinkError, RenderError } from '../../render/errors.ts'
import { type RecipientMail, renderForRecipient } from '../../render/recipient.ts'
import { prepareContent, type Renderer } from '../../render/render.ts'
import { type Composing, composeMail } from '../../sending/compose.ts'
import type { Snapshot } from '../snapshot.ts'
import { Affected } from './affected.ts'
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
  const renderer = prepared(snapshot)
  if ('code' in renderer) return { errors: [renderer], warnings: [], mail: null, subjects: [], size: null }
  const campaign = { id: snapshot.campaign.id, snapshot, renderer }
  const mails: { mail: RecipientMail; person: Person }[] = []
  const failed = new Affected()
  const untitled = new Affected()
  const faults = new Map<string, Finding>()
  for (const person of [...people, STRANGER]) {
    try {
      const mail = await renderForRecipient(campaign, person, s, true)
      mails.push({ mail, person })
      if (!mail.subject) untitled.add('', person)
      for (const fault of missingFrom(mail, snapshot.sender.postal_address, mail.unsubscribe_url)) {
        faults.set(fault.detail, { code: 'not_compliant', ...fault })
      }
    } catch (error) {
      if (!(error instanceof RenderError)) throw error
      // Links that only some have the data for are for those to follow; a stranger is nobody's recipient.
      if (error instanceof DeadLinkError && person === STRANGER) continue
      failed.add(error.message, person)
    }
  }
  const unrendered = failed.findings((message, whom) => ({
    code: 'cannot_render',
    field: 'template_id',
    detail: `it cannot be rendered for ${whom}: ${message}`,
  }))
  const nameless = untitled.findings((_, whom) => ({
    code: 'subject_empty',
    field: 'subject',
    detail: `the subject is empty for ${whom}`,
  }))
  const tolerated = !failed.has(STRANGER) && failed.count <= people.length * TOLERATED
  // A stranger's mail is nobody's, unless there is nobody.
  const real = people.length > 0 ? mails.filter(({ person }) => person !== STRANGER) : mails
  const [largest] = real.toSorted((a, b) => b.mail.html.length - a.mail.html.length)
  return {
    errors: [...(tolerated ? [] : unrendered), ...nameless, ...faults.values()],
    warnings: tolerated ? unrendered : [],
    mail: largest?.mail ?? null,
    subjects: [...new Set(real.map(({ mail }) => mail.subject))],
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

/** Subject and preheader are the campaign's own, and no one has compiled them yet. */
function prepared(snapshot: Snapshot): Renderer | Finding {
  try {
    return prepareContent(snapshot)
  } catch (error) {
    if (!(error instanceof RenderError)) throw error
    const field = error.part === 'subject' || error.part === 'preheader' ? error.part : 'template_id'
    return { code: 'cannot_render', field, detail: `it is no valid template: ${error.message}` }
  }
}

function sizeOf({ html, text }: RecipientMail, message_bytes: number | null): Rendered['size'] {
  const html_bytes = bytesOf(html)
  const text_bytes = bytesOf(text)
  // One that no server would take has no form; what it would weigh is still its parts.
  return { html_bytes, text_bytes, message_bytes: message_bytes ?? html_bytes + text_bytes }
}

const bytesOf = (text: string) => new TextEncoder().encode(text).length
