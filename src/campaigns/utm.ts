/** What a campaign tells web analytics of the visitors it sends. */
export interface Utm {
  source?: string | undefined
  medium?: string | undefined
  campaign?: string | undefined
  term?: string | undefined
  content?: string | undefined
}

const NAMES = ['source', 'medium', 'campaign', 'term', 'content'] as const

/**
 * Adds UTM parameters at the end of an address's query, before its fragment; every other byte stays where it is. One that
 * the author wrote stays as it was written.
 */
export function withUtm(url: string, utm: Utm | null): string {
  if (!utm) return url
  const hash = url.indexOf('#')
  const target = hash === -1 ? url : url.slice(0, hash)
  const query = target.indexOf('?')
  const written = new Set(query === -1 ? [] : namesIn(target.slice(query + 1)))
  const added = NAMES.flatMap((name) => {
    const value = utm[name]
    return value === undefined || written.has(`utm_${name}`) ? [] : [`utm_${name}=${encodeURIComponent(value)}`]
  })
  if (added.length === 0) return url
  const joint = query === -1 ? '?' : query === target.length - 1 || target.endsWith('&') ? '' : '&'
  return target + joint + added.join('&') + url.slice(target.length)
}

const namesIn = (query: string) => Array.from(new URLSearchParams(query).keys(), (name) => name.toLowerCase())
