import type { SigningKey } from './keys.ts'

const encoder = new TextEncoder()

/**
 * What a token may be used for. It is the first part of what is signed (ended by a zero byte, which no purpose holds),
 * so a token made for one purpose is noise for every other.
 */
export type Purpose =
  | 'open'
  | 'click'
  | 'unsubscribe'
  | 'view'
  | 'link'
  | 'recipient link'
  | 'bounce'
  | 'unsubscribe-mail'
  | 'preferences'
  | 'report'
  | 'confirm'
  | 'export data'
  | 'erase data'

const PREFIXES: Record<Purpose, Uint8Array> = {
  open: encoder.encode('emk open\0'),
  click: encoder.encode('emk click\0'),
  unsubscribe: encoder.encode('emk unsubscribe\0'),
  view: encoder.encode('emk view\0'),
  link: encoder.encode('emk link\0'),
  'recipient link': encoder.encode('emk recipient link\0'),
  bounce: encoder.encode('emk bounce\0'),
  'unsubscribe-mail': encoder.encode('emk unsubscribe-mail\0'),
  preferences: encoder.encode('emk preferences\0'),
  report: encoder.encode('emk report\0'),
  confirm: encoder.encode('emk confirm\0'),
  'export data': encoder.encode('emk export data\0'),
  'erase data': encoder.encode('emk erase data\0'),
}

/** The first `size` bytes of HMAC-SHA256 over purpose and payload. */
export async function mac(
  key: SigningKey,
  purpose: Purpose,
  payload: Uint8Array,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const prefix = PREFIXES[purpose]
  const signed = new Uint8Array(prefix.length + payload.length)
  signed.set(prefix)
  signed.set(payload, prefix.length)
  return new Uint8Array(await crypto.subtle.sign('HMAC', key.key, signed), 0, size)
}

/** Compares in a time that depends on the length alone. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}
