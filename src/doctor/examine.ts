import { checkAlignment } from './alignment.ts'
import { checkDmarc } from './dmarc.ts'
import type { Finding } from './finding.ts'
import { NOT_LOOKED_UP } from './finding.ts'
import { checkKeys } from './keys.ts'
import { checkFromDomain, checkReturnPath, type ReturnPath } from './mailboxes.ts'
import type { SendingPath } from './path.ts'
import type { Resolver } from './resolver.ts'
import { checkSpf } from './spf.ts'

/**
 * Everything that DNS says of mail from a domain: whether it can be answered, SPF, DKIM, DMARC, alignment, return path.
 *
 * @param domain - of the From address, ASCII in lower case
 * @param paths - the ways its mail leaves by; at least one
 * @param selectors - DKIM selectors that the caller names
 */
export async function examineDomain(
  resolver: Resolver,
  domain: string,
  paths: readonly SendingPath[],
  selectors: readonly string[] = [],
): Promise<Finding[]> {
  const from = await checkFromDomain(resolver, domain)
  // Nothing below it can be there, or would be answered.
  if (from.code === 'no_such_domain' || from.code === NOT_LOOKED_UP) return [from]
  const return_paths = returnPathsOf(paths)
  const [spf, keys, dmarc, bounces] = await Promise.all([
    Promise.all(spfDomains(domain, paths).map((name) => checkSpf(resolver, name, demandOn(name, paths)))),
    checkKeys(resolver, domain, paths, selectors),
    checkDmarc(resolver, domain),
    Promise.all(return_paths.filter((path) => path.domain !== domain).map((path) => checkReturnPath(resolver, path))),
  ])
  const alignment = paths.flatMap((path) =>
    checkAlignment(domain, path, keys.signed_by.get(path) ?? null, dmarc.alignment),
  )
  return once([from, ...spf.flat(), ...keys.findings, ...dmarc.findings, ...alignment, ...bounces])
}

/** One thing may be met on several ways: an include of two records, a key of two accounts. */
function once(findings: readonly Finding[]): Finding[] {
  const known = new Map<string, Finding>()
  for (const finding of findings) {
    const key = `${finding.check} ${finding.code} ${finding.about} ${finding.what}`
    if (!known.has(key)) known.set(key, finding)
  }
  return [...known.values()]
}

function returnPathsOf(paths: readonly SendingPath[]): ReturnPath[] {
  const known = new Map<string, ReturnPath>()
  for (const { return_path } of paths) if (return_path) known.set(return_path.domain, return_path)
  return [...known.values()]
}

/** Receivers look at the return path's; the From domain's protects its name. */
const spfDomains = (domain: string, paths: readonly SendingPath[]) => [
  ...new Set([...returnPathsOf(paths).map((path) => path.domain), domain]),
]

function demandOn(name: string, paths: readonly SendingPath[]) {
  const through = paths.filter(({ return_path }) => return_path?.domain === name)
  return {
    is_return_path: through.length > 0,
    services: [...new Set(through.flatMap(({ service }) => (service ? [service] : [])))],
    record: through.find(({ return_path }) => return_path?.record)?.return_path?.record ?? null,
    relays: [...new Set(through.flatMap(({ relay }) => (relay === null ? [] : [relay])))],
  }
}
