// The certificates that Amazon SNS signs with. A message names its own, so the address is what everything rests on: it is
// held to the host of the topic's region, which our configuration names, and to the one path that SNS uses there.
import { type KeyObject, X509Certificate } from 'node:crypto'
import { readUpTo } from '../http/read-up-to.ts'

interface Certificate {
  key: KeyObject
  /** Ms since 1970. */
  valid_from: number
  valid_to: number
}

/** No key: `invalid` for ever, `unreachable` for now. */
export type NoKey = 'invalid' | 'unreachable'

/** Ms. */
const PATIENCE = 5_000
/** Bytes. SNS's have about 2,000. */
const LARGEST = 20_000
/** SNS uses one or two at a time in each region. */
const KEPT = 8
/** Fetches per minute and isolate: who knows a topic's ARN could have us fetch one path after another. */
const FETCHES = 20
const PATH = /^\/SimpleNotificationService(?:-[A-Za-z0-9]{1,64})?\.pem$/
/** Bits. */
const SMALLEST_KEY = 2_048

/** Whether an address is one where SNS publishes its certificates. */
export function isCertificateUrl(url: string, host: string): boolean {
  const start = `https://${host}`
  // Compared as text: what a parser would make of user names, ports, backslashes or escapes does not matter.
  return url.startsWith(start) && PATH.test(url.slice(start.length))
}

/** Certificates as they are met, kept for the life of the isolate. */
export function snsCertificates() {
  const kept = new Map<string, Certificate>()
  let minute = 0
  let fetched = 0

  /**
   * @param url - one that `isCertificateUrl` lets through
   * @param now - ms since 1970
   */
  return async function keyAt(url: string, now: number): Promise<KeyObject | NoKey> {
    let certificate = kept.get(url)
    if (!certificate) {
      const this_minute = Math.floor(now / 60_000)
      if (this_minute !== minute) fetched = 0
      minute = this_minute
      if (++fetched > FETCHES) return 'unreachable'
      const found = await fetchCertificate(url)
      if (typeof found === 'string') return found
      certificate = found
      const [oldest] = kept.keys()
      if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest)
      kept.set(url, certificate)
    }
    return now >= certificate.valid_from && now <= certificate.valid_to ? certificate.key : 'invalid'
  }
}

async function fetchCertificate(url: string): Promise<Certificate | NoKey> {
  let bytes: Uint8Array | null
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(PATIENCE) })
    if (response.status !== 200) {
      await response.body?.cancel()
      // A file that is not there was never SNS's.
      return response.status === 403 || response.status === 404 ? 'invalid' : 'unreachable'
    }
    bytes = await readUpTo(response.body, LARGEST)
  } catch {
    return 'unreachable'
  }
  if (!bytes) return 'invalid'
  try {
    const { publicKey, validFrom, validTo } = new X509Certificate(new TextDecoder().decode(bytes))
    const is_strong =
      publicKey.asymmetricKeyType === 'rsa' && (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) >= SMALLEST_KEY
    if (!is_strong) return 'invalid'
    return { key: publicKey, valid_from: Date.parse(validFrom), valid_to: Date.parse(validTo) }
  } catch {
    return 'invalid'
  }
}
