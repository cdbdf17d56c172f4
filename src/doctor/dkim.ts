import { type DnsRecord, type Finding, notLookedUp, shown } from './finding.ts'
import type { Resolver } from './resolver.ts'
import { rsaBits } from './rsa.ts'
import { readTags } from './tags.ts'

/** A key that is looked for in DNS. */
export interface DkimSelector {
  domain: string
  selector: string
  /** Its record, where we hold the private half: SubjectPublicKeyInfo in base64; null where a service holds it. */
  public_key: string | null
  /** The record a service asks for in its place. */
  record?: DnsRecord | null
}

const RFC = 'RFC 6376'
/** RFC 8301 3.2: shorter keys are not verified, and 2048 is advised. */
const LEAST_BITS = 1024
const ADVISED_BITS = 2048

export const dkimName = ({ domain, selector }: Pick<DkimSelector, 'domain' | 'selector'>) =>
  `${selector}._domainkey.${domain}`

/** One key: that it is there, can be read, is strong enough, and is the one that mails are signed with. */
export async function checkDkim(resolver: Resolver, key: DkimSelector): Promise<Finding[]> {
  const name = dkimName(key)
  const answer = await resolver.look(name, 'TXT')
  if (answer.kind === 'failed') return [notLookedUp('dkim', name, answer.why)]
  const fix = recordOf(key)
  const finding = (code: string, severity: Finding['severity'], what: string, source = `${RFC} 3.6.1`): Finding => ({
    check: 'dkim',
    code,
    about: name,
    severity,
    what,
    fix: severity === 'ok' ? null : fix,
    source,
  })

  if (answer.kind === 'none') {
    const alias = answer.alias === null ? null : shown(answer.alias, 100)
    const at = alias === null ? 'There is no key' : `It is an alias (CNAME) of ${alias}, where there is no key`
    return [finding('missing', 'error', `${at}: receivers cannot verify what is signed with this selector.`)]
  }
  if (answer.values.length > 1) {
    return [
      finding(
        'several_records',
        'error',
        'There are several records, and receivers may take any: leave only the key.',
        `${RFC} 3.6.2.2`,
      ),
    ]
  }
  const [text = ''] = answer.values
  const found = faultsOf(text, key, finding)
  return found.length > 0 ? found : [finding('sound', 'ok', `DKIM key ${name} is there and can be verified with.`)]
}

type Found = (code: string, severity: Finding['severity'], what: string, source?: string) => Finding

function faultsOf(text: string, key: DkimSelector, finding: Found): Finding[] {
  const tags = readTags(text)
  const value = tags?.get('p')?.replace(/\s+/g, '')
  if (!tags || value === undefined || (tags.get('v') ?? 'DKIM1') !== 'DKIM1') {
    return [finding('syntax', 'error', `This is not a DKIM key: "${shown(text, 100)}".`)]
  }
  if (value === '') {
    return [finding('revoked', 'error', 'The key is revoked ("p=" is empty): every signature by it fails.')]
  }
  const found = strengthOf(tags.get('k') ?? 'rsa', value, finding)
  if (key.public_key !== null && key.public_key !== value) {
    // Whatever is there, it is not ours: how strong it is matters to nobody.
    return [finding('wrong_key', 'error', 'This is not the key that mails are signed with: every signature fails.')]
  }
  return [...found, ...restrictions(tags, finding)]
}

function strengthOf(type: string, value: string, finding: Found): Finding[] {
  if (type === 'ed25519') {
    const what = 'An Ed25519 key, which few receivers verify: keep an RSA key beside it.'
    return [finding('ed25519', 'warning', what, 'RFC 8463')]
  }
  if (type !== 'rsa') {
    return [finding('key_type', 'error', `Nobody verifies with a key of the type "${shown(type, 40)}".`)]
  }
  const bits = rsaBits(bytesOf(value))
  if (bits === null) return [finding('not_a_key', 'error', '"p=" is not an RSA key: a part of it may be lost.')]
  const advice = `Make a pair of ${ADVISED_BITS} under another selector, and change over when its record is there.`
  if (bits < LEAST_BITS) {
    const what = `The key has ${bits} bits, and receivers take none under ${LEAST_BITS}. ${advice}`
    return [{ ...finding('key_too_short', 'error', what, 'RFC 8301 3.2'), fix: null }]
  }
  if (bits < ADVISED_BITS) {
    const what = `The key has ${bits} bits, and ${ADVISED_BITS} are advised. ${advice}`
    return [{ ...finding('key_short', 'warning', what, 'RFC 8301 3.2'), fix: null }]
  }
  return []
}

function restrictions(tags: Map<string, string>, finding: Found): Finding[] {
  const found: Finding[] = []
  const names = (tag: string) =>
    tags
      .get(tag)
      ?.split(':')
      .map((name) => name.trim().toLowerCase())
  if (names('t')?.includes('y')) {
    found.push(
      finding('testing', 'warning', 'It is marked as a test ("t=y"): receivers may treat the mail as unsigned.'),
    )
  }
  const services = names('s')
  if (services && !services.includes('*') && !services.includes('email')) {
    found.push(finding('not_for_mail', 'error', 'The key is not for mail ("s=").'))
  }
  const hashes = names('h')
  if (hashes && !hashes.includes('sha256')) {
    found.push(
      finding('hash', 'error', 'The key does not allow SHA-256 ("h="), which mails are signed with.', 'RFC 8301 3.1'),
    )
  }
  return found
}

/** The record that belongs there; null when a service holds the key and has not said. */
function recordOf(key: DkimSelector): DnsRecord | null {
  if (key.record) return key.record
  if (key.public_key === null) return null
  return { type: 'TXT', name: dkimName(key), value: `v=DKIM1; k=rsa; p=${key.public_key}` }
}

function bytesOf(base64: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return new Uint8Array()
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
  } catch {
    return new Uint8Array()
  }
}
