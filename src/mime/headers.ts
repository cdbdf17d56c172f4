// Header fields: RFC 5322 folding, RFC 2047 encoded words. Whatever could end a header is refused, never repaired.

import { UnsendableMail } from '../providers/provider.ts'
import { base64 } from './encode.ts'

const encoder = new TextEncoder()

/** RFC 5322 2.1.1: advised. A single token may be longer. */
const LINE = 78
/** RFC 5322 2.1.1: never more than this, without CRLF. */
const HARD_LINE = 998
/** RFC 2047 2: a line that holds an encoded word. */
const ENCODED_LINE = 76
const ENCODED_WORD = 75
const WRAP = '=?utf-8?Q??='.length
/** With fewer free columns an encoded word goes to the next line: a stump would hold one or two characters. */
const STUMP = WRAP + 12
/** A quoted name up to this length never needs folding inside its quotes. */
const QUOTED_NAME = 60

const CONTROL = /[\p{Cc}--[\u0080-\u009f]]/v
const PRINTABLE = /^[ -~]*$/
const ATOMS = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const FIELD_NAME = /^[!-9;-~]{1,60}$/

/** How each byte looks in a Q encoded word: RFC 2047 5 (3), the strictest set, good in phrases too. */
const Q_FORM = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  if (character === ' ') return '_'
  return /[A-Za-z0-9!*+/-]/.test(character) ? character : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
})

/** Fields that are built here, that belong to the transport, or that would show or change recipients. */
const RESERVED = new Set([
  'from',
  'to',
  'cc',
  'bcc',
  'reply-to',
  'subject',
  'date',
  'message-id',
  'mime-version',
  'return-path',
  'received',
])

/** @throws {UnsendableMail} if a caller may not set this field */
function refuseReserved(name: string): void {
  const lower = name.toLowerCase()
  if (RESERVED.has(lower) || lower.startsWith('content-') || lower.startsWith('resent-')) {
    throw new UnsendableMail(`header ${printable(name)}: it is not the caller's to set`)
  }
}

/** @throws {UnsendableMail} if `value` holds CR, LF, NUL or another control character */
export function refuseControl(value: string, part: string): void {
  if (CONTROL.test(value)) throw new UnsendableMail(`${part}: control characters are not allowed`)
}

/**
 * One field with free text (Subject, List-Id, X-...), folded, ended by CRLF. Words outside ASCII become encoded words,
 * the others stay as they are, so that `Ústí <id.example.com>` keeps its angle brackets.
 * @throws {UnsendableMail} on control characters, on a bad name, on a token that no line can hold
 */
export function textField(name: string, value: string): string {
  if (!FIELD_NAME.test(name)) throw new UnsendableMail(`header ${printable(name)}: not a header name`)
  refuseControl(value, name.toLowerCase())
  if (value === '') return `${name}: \r\n`
  const plain = PRINTABLE.test(value) && !value.includes('=?')
  if (plain && name.length + 2 + value.length <= LINE && value.trim() === value) {
    return `${name}: ${value}\r\n`
  }
  return `${fold(`${name}:`, runs(value, name), plain ? LINE : ENCODED_LINE)}\r\n`
}

/**
 * A field that the caller of a mail adds. The name in a List-Id is a phrase (RFC 2919 3), so it is quoted or encoded as the
 * name of a mailbox is; other fields are text.
 */
export function callersField(name: string, value: string): string {
  refuseReserved(name)
  const [, phrase, id] = (name.toLowerCase() === 'list-id' && /^(.+) <([!-;=?-~]+)>$/s.exec(value)) || []
  return phrase !== undefined && id !== undefined ? mailboxField(name, phrase, id) : textField(name, value)
}

/** A field whose value is one mailbox: From, To, Reply-To. `address` is in wire form already. */
export function mailboxField(field: string, display_name: string | null, address: string): string {
  const name = display_name ?? ''
  if (name === '') return `${field}: ${address}\r\n`
  refuseControl(name, `${field.toLowerCase()} name`)
  const last = { text: `<${address}>`, encode: false }
  if (PRINTABLE.test(name) && name.length <= QUOTED_NAME && !name.includes('=?')) {
    const phrase = ATOMS.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`
    return `${fold(`${field}:`, [{ text: phrase, encode: false }, last], LINE)}\r\n`
  }
  return `${fold(`${field}:`, [{ text: name, encode: true }, last], ENCODED_LINE)}\r\n`
}

interface Run {
  text: string
  encode: boolean
}

/** Splits a value at its blanks into tokens that stay and runs that are encoded as a whole. */
function runs(value: string, name: string): Run[] {
  const words = value.split(' ')
  // Blanks at the ends or in a row would not survive folding.
  if (words.includes('')) return [{ text: value, encode: true }]
  const found: Run[] = []
  for (const word of words) {
    const too_long = word.length > HARD_LINE - name.length - 2
    if (too_long && name !== 'Subject')
      throw new UnsendableMail(`${name.toLowerCase()}: a token is too long for a line`)
    const encode = too_long || !PRINTABLE.test(word) || word.includes('=?')
    const before = found.at(-1)
    if (encode && before?.encode) before.text += ` ${word}`
    else found.push({ text: word, encode })
  }
  return found
}

function fold(start: string, found: Run[], limit: number): string {
  let out = start
  let column = start.length
  let first = true
  for (const { text, encode } of found) {
    if (encode) {
      const word = encodedWords(text, column, limit)
      out += word
      column = out.length - (out.lastIndexOf('\n') + 1)
    } else {
      // Never before the first token: a field whose first line is empty is legal and trips readers.
      if (!first && column + 1 + text.length > limit) {
        out += '\r\n'
        column = 0
      }
      out += ` ${text}`
      column += 1 + text.length
    }
    first = false
  }
  return out
}

/** Encoded words with the blank or fold before each, beginning at `column`. Never splits a character. */
function encodedWords(text: string, column: number, limit: number): string {
  const bytes = encoder.encode(text)
  let q_length = 0
  for (let i = 0; i < bytes.length; i++) q_length += qForm(bytes[i]).length
  const quoted = q_length <= Math.ceil(bytes.length / 3) * 4
  let out = ' '
  let room = Math.min(ENCODED_WORD, limit - column - 1)
  if (room < STUMP) {
    out = '\r\n '
    room = ENCODED_WORD
  }
  let from = 0
  while (from < bytes.length) {
    const end = wordEnd(bytes, from, room - WRAP, quoted)
    if (from > 0) out += '\r\n '
    out += quoted ? qWord(bytes, from, end) : `=?utf-8?B?${base64(bytes.subarray(from, end))}?=`
    from = end
    room = ENCODED_WORD
  }
  return out
}

/** Where a word that starts at `from` must end for its payload to fit `room`: always between two characters. */
function wordEnd(bytes: Uint8Array, from: number, room: number, quoted: boolean): number {
  let end = from
  let length = 0
  let i = from
  while (i < bytes.length) {
    do length += quoted ? qForm(bytes[i]).length : 0
    while (((bytes[++i] ?? 0) & 0xc0) === 0x80)
    if ((quoted ? length : Math.ceil((i - from) / 3) * 4) > room && end > from) break
    end = i
  }
  return end
}

function qWord(bytes: Uint8Array, from: number, end: number): string {
  let out = '=?utf-8?Q?'
  for (let i = from; i < end; i++) out += qForm(bytes[i])
  return `${out}?=`
}

const qForm = (byte: number | undefined): string => Q_FORM[byte ?? 0] ?? ''

/** A header name as it may stand in an error text. */
const printable = (name: string) => name.replace(/[^!-~]/g, '?').slice(0, 40)
