import { openUrl } from '../tokens/urls.ts'
import { organisationalDomain } from './domain.ts'
import { type Finding, shown } from './finding.ts'

export interface Urls {
  fetch: typeof fetch
  /** No slash at the end. */
  tracking_url: string
  /** Of a mail to nobody, to see that the edge verifies with the keys it was signed with. */
  unsubscribe_url: string
  signal: AbortSignal
}

/** Ms. */
const PATIENCE = 5_000
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

/**
 * The pixel and the unsubscribe page, as readers' clients fetch them. Not for a Worker: what it asks of its own zone does not
 * go by the routes that readers come by.
 */
export async function checkUrls(
  domain: string,
  { fetch, tracking_url, unsubscribe_url, signal }: Urls,
): Promise<Finding[]> {
  const about = { check: 'urls', fix: null } as const
  const { hostname, protocol } = new URL(tracking_url)
  const found: Finding[] = []
  if (protocol !== 'https:' && !LOOPBACK.has(hostname)) {
    const what = 'It is not https: clients show no such picture, and take no such link for one-click unsubscribing.'
    found.push({ ...about, code: 'not_https', about: tracking_url, severity: 'error', what, source: 'RFC 8058 3.1' })
  }
  const probes = [
    { url: openUrl(tracking_url, 'x'), method: 'HEAD', type: 'image/gif', name: 'The pixel' },
    {
      url: unsubscribe_url,
      method: 'GET',
      type: 'text/html',
      name: 'The unsubscribe page',
    },
  ] as const
  const faults = await Promise.all(probes.map((probe) => faultOf(fetch, probe, signal)))
  faults.forEach((fault, i) => {
    const probe = probes[i]
    if (fault === null || !probe) return
    // Without the token, which is nobody's but looks like somebody's.
    const shown_url = `${tracking_url}${new URL(probe.url).pathname.replace(/[^/]+$/, '')}`
    const what = `${probe.name} ${fault}. Do TRACKING_URL (or PUBLIC_URL) and the route to emk-tracking fit?`
    found.push({ ...about, code: 'unreachable', about: shown_url, severity: 'error', what, source: 'RFC 8058 3.2' })
  })
  if (organisationalDomain(hostname) !== organisationalDomain(domain) && !LOOPBACK.has(hostname)) {
    const what = `Links and pixel are at ${hostname}, which does not belong to ${domain}: filters trust mail more whose links are of its own domain.`
    found.push({ ...about, code: 'other_domain', about: tracking_url, severity: 'warning', what, source: null })
  }
  if (found.length > 0) return found
  const what = 'Pixel and unsubscribe page answer.'
  return [{ ...about, code: 'sound', about: tracking_url, severity: 'ok', what, source: 'RFC 8058' }]
}

interface Probe {
  url: string
  method: 'HEAD' | 'GET'
  type: string
}

async function faultOf(get: typeof fetch, { url, method, type }: Probe, signal: AbortSignal): Promise<string | null> {
  const timeout = AbortSignal.timeout(PATIENCE)
  try {
    const response = await get(url, { method, redirect: 'manual', signal: AbortSignal.any([timeout, signal]) })
    await response.body?.cancel().catch(() => {})
    if (response.status !== 200) return `answers with ${response.status}`
    const answered = response.headers.get('content-type') ?? 'nothing'
    return answered.startsWith(type) ? null : `is not ${type} but ${shown(answered, 60)}`
  } catch (error) {
    if (timeout.aborted || signal.aborted) return 'does not answer in time'
    return `cannot be reached (${shown(error instanceof Error ? error.message : 'no answer', 100)})`
  }
}
