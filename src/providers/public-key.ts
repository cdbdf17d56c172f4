import { createPublicKey } from 'node:crypto'
import type { DkimKey, DkimPublicKey } from './account.ts'

/** The half of a key that may be shown. @param key - one that ACCOUNTS was accepted with */
export function publicHalf({ domain, selector, private_key }: DkimKey): DkimPublicKey {
  const der = createPublicKey(private_key).export({ type: 'spki', format: 'der' })
  return { domain, selector, public_key: der.toString('base64') }
}
