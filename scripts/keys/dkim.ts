import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { normaliseDomain } from '../../src/subscribers/email.ts'

export interface DkimKeyOptions {
  domain: string
  selector: string
  bits: number
}

export interface NewDkimKey {
  /** Where the public half goes, and what goes there. */
  name: string
  value: string
  /** The record as a line of a zone file. */
  zone_line: string
  /** For an SMTP account in ACCOUNTS, on one line. It holds the private half. */
  fragment: string
}

/** A string in a TXT record has at most 255 octets (RFC 1035 3.3). */
const TXT_STRING = 255

/** Whom the options do not suit. */
export class KeyOptionsError extends Error {
  override name = 'KeyOptionsError'
}

/** @throws {KeyOptionsError} naming the option */
export async function newDkimKey({ domain, selector, bits }: DkimKeyOptions): Promise<NewDkimKey> {
  const of = normaliseDomain(domain)
  if ('problem' in of) throw new KeyOptionsError(`--domain ${of.problem}`)
  if (!/^(?=.{1,63}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i.test(selector)) {
    throw new KeyOptionsError('--selector is letters, digits and "-", at most 63')
  }
  // RFC 8301 3.2: verifiers need not take more than 4096 bits, and must not take less than 1024.
  if (![1024, 2048, 3072, 4096].includes(bits)) throw new KeyOptionsError('--bits is 1024, 2048, 3072 or 4096')
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const name = `${selector}._domainkey.${of.domain}`
  const value = `v=DKIM1; k=rsa; p=${publicKey.toString('base64')}`
  const strings = value.match(new RegExp(`.{1,${TXT_STRING}}`, 'g')) ?? []
  return {
    name,
    value,
    zone_line: `${name}. 3600 IN TXT ( ${strings.map((string) => `"${string}"`).join(' ')} )`,
    fragment: `"dkim":[${JSON.stringify({ domain: of.domain, selector, private_key: privateKey })}]`,
  }
}

/** What a person has to do with a new key. */
export function explainDkimKey({ name, value, zone_line, fragment }: NewDkimKey): string {
  return `1. Add this TXT record to your DNS.

name
${name}

value (a DNS provider's form splits it by itself)
${value}

the same as a line of a zone file
${zone_line}

2. Put this into the SMTP account's object in ACCOUNTS. It is shown once and is secret: do not mail or commit it.

${fragment}

If the account has "dkim" already, add the object to that list instead: mails then carry both signatures. To replace a key,
keep the old one until receivers had time to see the new record, then take it out, and its record a week later.

3. Wait until the record is there, then have the new ACCOUNTS deployed:

dig +short TXT ${name}
npm run deploy

Cloudflare takes at most 5 KB in one secret: ACCOUNTS has room for two keys of 2048 bits, or one of 4096.
`
}
