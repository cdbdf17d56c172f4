import { type Mail, UnsendableMail } from '../providers/provider.ts'
import { wireAddress } from './address.ts'
import { isShortAsciiLines, quotedPrintableBound, writeQuotedPrintable } from './encode.ts'
import { callersField, mailboxField, textField } from './headers.ts'

/** A complete RFC 5322 message and the envelope it travels in. */
export interface Message {
  /** CRLF throughout, no line above 998 octets, ends with CRLF; 7-bit unless `needs_smtputf8`. Not yet dot-stuffed. */
  bytes: Uint8Array
  envelope_from: string
  envelope_to: string
  /** Of the From header, ASCII in lower case. */
  from_domain: string
  /** An address in envelope or header has a local part outside ASCII. */
  needs_smtputf8: boolean
}

const MESSAGE_ID = /^[!-;=?A-~]+@[!-;=?A-~]+$/
/**
 * Characters of HTML and text together. Encoding may take nine bytes for each and an isolate has 128 MB for everything;
 * readers such as Gmail cut a mail off at a tenth of a megabyte.
 */
export const LARGEST_BODY = 3_000_000
/** Characters. Readers show some hundred, and servers limit a header as a whole (Postfix: 102,400 octets). */
const LARGEST_SUBJECT = 2_000
/** RFC 2046 5.1.1 allows 70 characters. */
const BOUNDARY = 60

const encoder = new TextEncoder()
let scratch = new Uint8Array(131_072)
/** Scratch above this size is not kept: an isolate has 128 MB for everything. */
const KEPT_SCRATCH = 4_194_304

/**
 * Builds multipart/alternative, text before HTML. The same mail gives the same bytes, whenever it is built.
 * There is never a Bcc: the envelope has one recipient.
 * @throws {UnsendableMail} naming the part that cannot be sent as it is
 */
export function buildMessage(mail: Mail): Message {
  refuseHuge(mail)
  const from = wireAddress(mail.from.email, 'from')
  const to = wireAddress(mail.to.email, 'to')
  const reply_to = mail.reply_to === null ? null : wireAddress(mail.reply_to, 'reply_to')
  const envelope_from = wireAddress(mail.envelope_from, 'envelope_from')
  if (!MESSAGE_ID.test(mail.message_id) || mail.message_id.length > 250) {
    throw new UnsendableMail('message_id: not of the form left@right')
  }
  // "=_" never appears in quoted-printable, and a 7bit part that has it is not sent as 7bit.
  const boundary = `=_${mail.message_id.replace(/[^A-Za-z0-9.-]/g, '')}`.slice(0, BOUNDARY)

  let head = `Date: ${rfc5322Date(mail.date)}\r\nMessage-ID: <${mail.message_id}>\r\nMIME-Version: 1.0\r\n`
  head += mailboxField('From', mail.from.name, from.address)
  head += mailboxField('To', mail.to.name, to.address)
  if (reply_to !== null) head += mailboxField('Reply-To', null, reply_to.address)
  head += textField('Subject', mail.subject)
  for (const [name, value] of mail.headers) {
    head += callersField(name, value)
  }
  head += `Content-Type: multipart/alternative; boundary="${boundary}"\r\n\r\n`

  const bound =
    head.length * 3 +
    quotedPrintableBound(mail.text.length) +
    quotedPrintableBound(mail.html.length) +
    BOUNDARY * 4 +
    512
  let out = scratch
  if (out.length < bound) {
    out = new Uint8Array(bound)
    if (bound <= KEPT_SCRATCH) scratch = out
  }
  let at = encoder.encodeInto(head, out).written
  at = writePart(mail.text, 'plain', boundary, out, at)
  at = writePart(mail.html, 'html', boundary, out, at)
  at += encoder.encodeInto(`--${boundary}--\r\n`, out.subarray(at)).written
  return {
    bytes: out.slice(0, at),
    envelope_from: envelope_from.address,
    envelope_to: to.address,
    from_domain: from.address.slice(from.address.lastIndexOf('@') + 1).toLowerCase(),
    needs_smtputf8:
      from.needs_smtputf8 || to.needs_smtputf8 || envelope_from.needs_smtputf8 || (reply_to?.needs_smtputf8 ?? false),
  }
}

/** @throws {UnsendableMail} if no isolate could encode the body, or no server is sure to take the subject */
export function refuseHuge(mail: Mail): void {
  const length = mail.html.length + mail.text.length
  if (length > LARGEST_BODY) throw new UnsendableMail(`body: ${length} characters, at most ${LARGEST_BODY} can be sent`)
  if (mail.subject.length > LARGEST_SUBJECT) {
    throw new UnsendableMail(`subject: ${mail.subject.length} characters, at most ${LARGEST_SUBJECT} can be sent`)
  }
}

function writePart(text: string, subtype: string, boundary: string, out: Uint8Array, at: number): number {
  const seven_bit = isShortAsciiLines(text) && !text.includes('=_')
  const head = `--${boundary}\r\nContent-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: ${
    seven_bit ? '7bit' : 'quoted-printable'
  }\r\n\r\n`
  if (seven_bit) {
    const body = text.replace(/\r\n|\r|\n/g, '\r\n')
    return at + encoder.encodeInto(`${head}${body}\r\n`, out.subarray(at)).written
  }
  at += encoder.encodeInto(head, out.subarray(at)).written
  at = writeQuotedPrintable(text, out, at)
  out[at++] = 13
  out[at++] = 10
  return at
}

/** @throws {UnsendableMail} */
function rfc5322Date(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new UnsendableMail('date: not a moment')
  return `${date.toUTCString().slice(0, -3)}+0000`
}
