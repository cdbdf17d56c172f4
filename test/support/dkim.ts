// DKIM keys, a zone that holds their public halves, and mailauth's verdict on a message.
import { generateKeyPairSync } from 'node:crypto'
import { dkimVerify } from 'mailauth'
import type { DkimKey } from '../../src/providers/account.ts'

export interface DkimPair {
  key: DkimKey
  /** Where the public half is, and what stands there. */
  name: string
  record: string
}

export function keyPair(domain: string, selector: string, bits = 2048): DkimPair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  const p = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  return {
    key: { domain, selector, private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
    name: `${selector}._domainkey.${domain}`,
    record: `v=DKIM1; k=rsa; p=${p}`,
  }
}

/** Answers TXT questions as a DNS resolver of Node does. */
export type Zone = (name: string, type: string) => Promise<string[][]>

export const dkimZone =
  (records: readonly Pick<DkimPair, 'name' | 'record'>[]): Zone =>
  async (name, type) => {
    const found = records.find((record) => type === 'TXT' && record.name === name)
    if (!found) throw Object.assign(new Error('no such record'), { code: 'ENOTFOUND' })
    return [[found.record]]
  }

/** `<result> <domain> <selector>` of each signature from the top; `none` when there is none. @param message - in latin1 */
export async function verdicts(message: string, resolver: Zone): Promise<string[]> {
  const { results } = await dkimVerify(Buffer.from(message, 'latin1'), { resolver, strict: true })
  return results.map(({ status, signingDomain, selector }) =>
    [status.result, signingDomain, selector].filter(Boolean).join(' '),
  )
}
