// DKIM signatures (RFC 6376): rsa-sha256, relaxed/relaxed, the whole body.

import { createHash, createPrivateKey, sign } from 'node:crypto'
import type { DkimKey } from '../providers/account.ts'
import { base64 } from './encode.ts'

/** A key read once, for every mail of an account. */
export interface DkimSigner {
  domain: string
  selector: string
  key: RsaKey
}

export type RsaKey = ReturnType<typeof createPrivateKey>

/** RFC 8301 3.2: verifiers take no shorter key. */
const LEAST_BITS = 1024
/** RFC 5322 2.1.1: advised. */
const LINE = 78

/**
 * What is signed where a mail has it. The oversigned ones are named once more than they are there, so that one added on the
 * way breaks the signature: a second From shows another author, a List-Unsubscribe that counts must be covered (RFC 8058 4),
 * another Content-Type shows the reader another text. Left out of that is what relays and mailing lists add of their own.
 */
const SIGNED: readonly (readonly [name: string, oversigned: boolean])[] = [
  ['From', true],
  ['To', true],
  ['Subject', true],
  ['Date', true],
  ['Message-ID', true],
  ['Reply-To', true],
  ['MIME-Version', true],
  ['Content-Type', true],
  ['Content-Transfer-Encoding', true],
  ['List-Unsubscribe', true],
  ['List-Unsubscribe-Post', true],
  ['List-Id', false],
  ['Feedback-ID', false],
]

const CR = 13
const LF = 10
const SPACE = 32
const TAB = 9

const encoder = new TextEncoder()
const decoder = new TextDecoder()
let scratch = new Uint8Array(131_072)
/** Scratch above this size is not kept: an isolate has 128 MB for everything. */
const KEPT_SCRATCH = 4_194_304

/** @returns null for what is not an unencrypted RSA key in PEM, or too short for any verifier */
export function readRsaKey(pem: string): RsaKey | null {
  try {
    const key = createPrivateKey(pem)
    const bits = key.asymmetricKeyType === 'rsa' ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : 0
    return bits >= LEAST_BITS ? key : null
  } catch {
    return null
  }
}

/** Reads an account's keys. @throws Error that names the index of one that cannot be used, never its value */
export function dkimSigners(keys: readonly DkimKey[]): DkimSigner[] {
  return keys.map(({ domain, selector, private_key }, i) => {
    const key = readRsaKey(private_key)
    if (key === null) throw new Error(`dkim[${i}].private_key is not an RSA key of at least ${LEAST_BITS} bits`)
    return { domain, selector, key }
  })
}

/**
 * Puts a DKIM-Signature before the message for each key of the From domain or of a domain above it.
 *
 * @param message - complete, CRLF throughout, as it will leave; whatever changes it afterwards breaks the signatures
 * @param from_domain - of the From header, ASCII in lower case
 * @param at - when it is signed; seconds count
 */
export function signMessage(
  message: Uint8Array,
  from_domain: string,
  signers: readonly DkimSigner[],
  at: Date,
): Uint8Array {
  const fitting = signers.filter(({ domain }) => from_domain === domain || from_domain.endsWith(`.${domain}`))
  if (fitting.length === 0) return message
  const { fields, body_at } = splitHead(message)
  const { names, canonical } = signedFields(fields)
  const body_hash = hashBody(message, body_at)
  const signatures = encoder.encode(
    fitting.map((signer) => signatureField(signer, names, canonical, body_hash, at)).join(''),
  )
  const signed = new Uint8Array(signatures.length + message.length)
  signed.set(signatures)
  signed.set(message, signatures.length)
  return signed
}

/** One field, its name in lower case and its form of RFC 6376 3.4.2 without CRLF. */
interface Field {
  name: string
  relaxed: string
}

function splitHead(message: Uint8Array): { fields: Field[]; body_at: number } {
  let end = 0
  while (end < message.length && !(message[end] === CR && message[end + 2] === CR && message[end + 3] === LF)) end++
  const head = decoder.decode(message.subarray(0, end))
  return { fields: head.split(/\r\n(?![ \t])/).map(relaxedField), body_at: Math.min(end + 4, message.length) }
}

function relaxedField(field: string): Field {
  const colon = field.indexOf(':')
  const name = field.slice(0, colon).trim().toLowerCase()
  const value = field
    .slice(colon + 1)
    .replace(/[\r\n]+/g, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '')
  return { name, relaxed: `${name}:${value}` }
}

/** What `h=` says, and what is hashed for it: of fields that are there several times, the last one first (RFC 6376 5.4.2). */
function signedFields(fields: readonly Field[]): { names: string[]; canonical: string } {
  const names: string[] = []
  let canonical = ''
  for (const [name, oversigned] of SIGNED) {
    const there = fields.filter((field) => field.name === name.toLowerCase()).reverse()
    for (const { relaxed } of there) {
      names.push(name)
      canonical += `${relaxed}\r\n`
    }
    if (oversigned) names.push(name)
  }
  return { names, canonical }
}

function signatureField(signer: DkimSigner, names: string[], canonical: string, body_hash: string, at: Date): string {
  const { domain, selector, key } = signer
  const tags = [
    'DKIM-Signature: v=1;',
    'a=rsa-sha256;',
    'c=relaxed/relaxed;',
    `d=${domain};`,
    `s=${selector};`,
    `t=${Math.floor(at.getTime() / 1000)};`,
    `bh=${body_hash};`,
  ]
  const signed = names.map((name, i) => `${i === 0 ? 'h=' : ''}${name}${i === names.length - 1 ? ';' : ':'}`)
  const unsigned = [...lines(tags, ' '), ...lines(signed, ''), 'b='].join('\r\n ')
  const signature = base64(sign('RSA-SHA256', encoder.encode(canonical + relaxedField(unsigned).relaxed), key))
  return `${unsigned}${(signature.match(/.{1,72}/g) ?? []).join('\r\n ')}\r\n`
}

/** Tokens on lines that leave a column for the blank of a fold. */
function lines(tokens: readonly string[], between: string): string[] {
  const done: string[] = []
  let line = ''
  for (const token of tokens) {
    if (line !== '' && line.length + between.length + token.length >= LINE) {
      done.push(line)
      line = token
    } else line += line === '' ? token : between + token
  }
  return [...done, line]
}

function hashBody(message: Uint8Array, body_at: number): string {
  const bound = message.length - body_at + 2
  let out = scratch
  if (out.length < bound) {
    out = new Uint8Array(bound)
    if (bound <= KEPT_SCRATCH) scratch = out
  }
  return createHash('sha256')
    .update(out.subarray(0, relaxedBody(message, body_at, out)))
    .digest('base64')
}

/** Writes the body's form of RFC 6376 3.4.4 into `out`: blanks one space, none before a line's end, no empty lines at the end. */
function relaxedBody(message: Uint8Array, body_at: number, out: Uint8Array): number {
  let at = 0
  let line_at = 0
  /** Where the last line ends that is not empty. */
  let end = 0
  let blank = false
  for (let i = body_at; i < message.length; i++) {
    const byte = message[i] as number
    if (byte === SPACE || byte === TAB) {
      blank = true
    } else if (byte === CR && message[i + 1] === LF) {
      const empty = at === line_at
      out[at++] = CR
      out[at++] = LF
      if (!empty) end = at
      line_at = at
      blank = false
      i++
    } else {
      if (blank) out[at++] = SPACE
      blank = false
      out[at++] = byte
    }
  }
  if (at === line_at) return end
  out[at++] = CR
  out[at++] = LF
  return at
}
