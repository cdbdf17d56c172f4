// The text of an SPF record (RFC 7208 4.5, 4.6, 12).

import { isDomain } from './domain.ts'

export interface SpfTerm {
  /** As it stands in the record. */
  text: string
  /** `redirect` is the one modifier that matters here. */
  name: 'all' | 'include' | 'a' | 'mx' | 'ptr' | 'ip4' | 'ip6' | 'exists' | 'redirect'
  qualifier: '+' | '-' | '~' | '?'
  /** What it names, lower case; null for the record's own domain. One with macros (`%{i}`) stays as it is. */
  domain: string | null
}

export interface SpfRecord {
  terms: SpfTerm[]
  /** Terms that no receiver can read: the whole record counts for nothing. */
  faults: string[]
}

export const isSpf = (text: string) => /^v=spf1(?:\s|$)/i.test(text)

export function readSpf(text: string): SpfRecord {
  const terms: SpfTerm[] = []
  const faults: string[] = []
  for (const word of text.split(' ').slice(1)) {
    if (word === '') continue
    const term = readTerm(word)
    if (term === 'fault') faults.push(word)
    else if (term !== 'ignored') terms.push(term)
  }
  const redirects = terms.filter(({ name }) => name === 'redirect').map(({ text }) => text)
  if (redirects.length > 1) faults.push(...redirects.slice(1))
  return { terms, faults }
}

/** Whether a name holds macros: what it is then depends on who sends. */
export const hasMacro = (domain: string) => domain.includes('%')

function readTerm(word: string): SpfTerm | 'fault' | 'ignored' {
  const modifier = /^([a-z][a-z0-9_.-]*)=(.*)$/i.exec(word)
  if (modifier) {
    const [, name = '', value = ''] = modifier
    // Modifiers that a receiver does not know mean nothing to it (RFC 7208 6).
    if (!['redirect', 'exp'].includes(name.toLowerCase())) return 'ignored'
    if (!isTarget(value)) return 'fault'
    return name.toLowerCase() === 'exp'
      ? 'ignored'
      : { text: word, name: 'redirect', qualifier: '+', domain: value.toLowerCase() }
  }
  const [, qualifier = '', name = '', rest = ''] = /^([+?~-]?)([a-z0-9]+)(.*)$/i.exec(word) ?? []
  const term = (name: SpfTerm['name'], domain: string | null): SpfTerm => ({
    text: word,
    name,
    qualifier: (qualifier || '+') as SpfTerm['qualifier'],
    domain,
  })
  switch (name.toLowerCase()) {
    case 'all':
      return rest === '' ? term('all', null) : 'fault'
    case 'include':
    case 'exists':
      return rest.startsWith(':') && isTarget(rest.slice(1))
        ? term(name.toLowerCase() === 'include' ? 'include' : 'exists', rest.slice(1).toLowerCase())
        : 'fault'
    case 'a':
    case 'mx': {
      const [, domain, four, six] = /^(?::([^/]+))?(?:\/(\d{1,2}))?(?:\/\/(\d{1,3}))?$/.exec(rest) ?? ['', '', '99']
      if ((domain !== undefined && !isTarget(domain)) || Number(four ?? 0) > 32 || Number(six ?? 0) > 128)
        return 'fault'
      return term(name.toLowerCase() === 'a' ? 'a' : 'mx', domain?.toLowerCase() ?? null)
    }
    case 'ptr':
      return rest === '' || (rest.startsWith(':') && isTarget(rest.slice(1))) ? term('ptr', null) : 'fault'
    case 'ip4':
      return isNetwork(rest, isIp4, 32) ? term('ip4', null) : 'fault'
    case 'ip6':
      return isNetwork(rest, isIp6, 128) ? term('ip6', null) : 'fault'
    default:
      return 'fault'
  }
}

const isTarget = (domain: string) =>
  hasMacro(domain) ? /^[!-~]{1,253}$/.test(domain) : isDomain(domain.replace(/\.$/, ''))

function isNetwork(rest: string, isAddress: (text: string) => boolean, bits: number): boolean {
  const [, address = '', prefix] = /^:([^/]+)(?:\/(\d{1,3}))?$/.exec(rest) ?? []
  return isAddress(address) && Number(prefix ?? 0) <= bits
}

const isIp4 = (text: string) => {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)
}

const isIp6 = (text: string) => {
  if (!/^[0-9a-f:.]+$/i.test(text)) return false
  try {
    return new URL(`http://[${text}]`).hostname !== ''
  } catch {
    return false
  }
}
