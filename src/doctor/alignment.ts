import type { Alignment } from './dmarc.ts'
import { isAligned } from './domain.ts'
import type { Finding } from './finding.ts'
import type { SendingPath } from './path.ts'

const RFC = 'RFC 7489 3.1'

/**
 * Whether DMARC passes for what leaves by one path: the signature's domain or the return path must belong to the From domain.
 *
 * @param signed_by - the `d=` of its signatures; null when nobody can say
 */
export function checkAlignment(
  from: string,
  path: SendingPath,
  signed_by: readonly string[] | null,
  { dkim_strict, spf_strict, relaxed }: Alignment,
): Finding[] {
  const about = path.account ?? from
  const dkim = signed_by?.some((domain) => isAligned(domain, from, dkim_strict)) ?? null
  const spf = path.return_path && isAligned(path.return_path.domain, from, spf_strict)
  const base = { check: 'alignment', about, source: RFC } as const
  const found: Finding[] = []
  if (dkim === false) {
    const foreign = path.keys.map(({ domain }) => domain).join(', ')
    const what =
      signed_by?.length === 0
        ? `It has DKIM keys for ${foreign} only: mail from ${from} goes out unsigned. Add a key for ${from} (npm run keys -- dkim).`
        : `It signs as ${signed_by?.join(', ')}, and DMARC asks for exactly ${from} ("adkim=s"): the signature does not count.`
    const fix = signed_by?.length === 0 ? null : relaxed
    found.push({
      ...base,
      code: 'dkim_unaligned',
      severity: spf && signed_by?.length !== 0 ? 'warning' : 'error',
      what,
      fix,
    })
  }
  if (path.return_path && spf === false) {
    const { domain } = path.return_path
    const is_strict = isAligned(domain, from, false)
    const why = is_strict
      ? `and DMARC asks for exactly ${from} ("aspf=s")`
      : `which does not belong to ${from}: take a subdomain of it as bounce_domain`
    const what = `Its return path is ${domain}, ${why}. SPF does not count then${dkim ? ', and DMARC hangs on the signature alone' : ''}.`
    found.push({
      ...base,
      code: 'return_path_unaligned',
      severity: dkim ? 'warning' : 'error',
      what,
      fix: is_strict ? relaxed : null,
    })
  }
  if (found.length > 0) return found
  if (dkim === null && spf === null) return []
  const by = [dkim ? 'DKIM' : '', spf ? 'SPF' : ''].filter(Boolean).join(' and ')
  return [{ ...base, code: 'aligned', severity: 'ok', what: `DMARC passes by ${by}.`, fix: null }]
}
