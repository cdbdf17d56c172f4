// A mail as it comes in, read within bounds: whatever is sent to us, it costs no more than a mail of this size.
import PostalMime, { decodeWords, type Email } from 'postal-mime'

/** In bytes. A report comes first in its mail, what it is about after it: of what is longer, the beginning says all. */
const MAIL_LIMIT = 1_000_000
/** The parser's work is by line. A mail of MAIL_LIMIT in base64 has 13,000. */
const LINE_LIMIT = 20_000
/** In bytes, over all parts; deeper than any mail program goes. */
const HEADER_LIMIT = 256_000
const DEPTH_LIMIT = 30
/** In characters, of the words that are looked at. */
const TEXT_LIMIT = 64_000
/** In characters, of one header. */
const VALUE_LIMIT = 1_000

/** What a report may say, in which part of the mail. */
export interface IncomingMail {
  /** Of the first header of this name (lower case); the empty string where there is none. */
  header: (name: string) => string
  /** What a person would read, without what is attached: no copy of the mail it is about. */
  text: string
  /** Of the first part of this type (lower case) that is the mail's own, not of a mail attached to it; null without one. */
  part: (type: string) => string | null
}

/**
 * Reads at most `MAIL_LIMIT` bytes and leaves the rest.
 *
 * @throws what the stream throws: the mail has not arrived
 */
export async function readMail(raw: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const mail = new Uint8Array(MAIL_LIMIT)
  let size = 0
  for await (const chunk of raw) {
    const taken = chunk.subarray(0, MAIL_LIMIT - size)
    mail.set(taken, size)
    size += taken.length
    // Leaving the loop cancels the stream.
    if (size === MAIL_LIMIT) break
  }
  return mail.slice(0, size)
}

/** @returns null for what is no mail that a mail program writes: nested or with headers beyond all measure */
export async function parseMail(raw: Uint8Array<ArrayBuffer>): Promise<IncomingMail | null> {
  let email: Email
  try {
    email = await PostalMime.parse(raw.subarray(0, endOfLines(raw)), {
      // A mail in the mail is what the report is about, or one that somebody wants taken for a report.
      forceRfc822Attachments: true,
      maxHeadersSize: HEADER_LIMIT,
      maxNestingDepth: DEPTH_LIMIT,
    })
  } catch {
    return null
  }
  const first = new Map<string, string>()
  for (const { key, value } of email.headers) if (!first.has(key)) first.set(key, value)
  return {
    header: (name) => decodeWords((first.get(name) ?? '').slice(0, VALUE_LIMIT)),
    text: (email.text?.trim() ? email.text : textOfHtml(email.html ?? '')).slice(0, TEXT_LIMIT),
    part: (type) => {
      const content = email.attachments.find(({ mimeType }) => mimeType === type)?.content
      return content instanceof ArrayBuffer ? decoder.decode(content.slice(0, TEXT_LIMIT)) : null
    },
  }
}

/** Where the last line that is read ends. */
function endOfLines(raw: Uint8Array): number {
  let at = -1
  for (let lines = 0; lines < LINE_LIMIT; lines++) {
    at = raw.indexOf(10, at + 1)
    if (at < 0) return raw.length
  }
  return at + 1
}

/** What is no UTF-8 becomes U+FFFD: codes and the words that are looked for are ASCII. */
const decoder = new TextDecoder()

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', nbsp: ' ', '#39': "'", '#43': '+' }

/** Good enough to find codes and words: tags end lines, a few entities are read. */
function textOfHtml(html: string): string {
  return html
    .slice(0, 2 * TEXT_LIMIT)
    .replace(/<(style|script)\b[^<>]*>[^<]*/gi, '')
    .replace(/<\/?(?:p|div|tr|table|h[1-6]|li|blockquote)\b[^<>]*>/gi, '\n\n')
    .replace(/<[^<>]*>/g, ' ')
    .replace(/&(#?\w{2,4});/g, (entity, name: string) => ENTITIES[name.toLowerCase()] ?? entity)
}

/** Whether an envelope sender is that of a notice (RFC 5321, section 4.5.5): as Workers say it, or as SMTP writes it. */
export const isNullSender = (from: string) => from.trim() === '' || from.trim() === '<>'
