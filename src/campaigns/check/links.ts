import { isPersonal } from '../../render/splice.ts'
import type { TemplateLink } from '../../templates/compiled.ts'
import { isTrackable } from '../../tokens/link.ts'
import { type Utm, withUtm } from '../utm.ts'
import { counted, type Finding, some } from './finding.ts'
import { isShortener } from './shorteners.ts'

/** Links that no longer fit a tracked address once the campaign's parameters are added. */
export function overlongLinks({ compiled, utm }: { compiled: { links: TemplateLink[] }; utm: Utm | null }): Finding[] {
  return compiled.links
    .filter((link) => !isPersonal(link) && !isTrackable(withUtm(link.url, utm)))
    .map(({ n }) => ({
      code: 'link_too_long',
      field: 'utm',
      detail: `with these parameters the template's link ${n} is too long to be tracked`,
    }))
}

/**
 * @param links - the template's tracked links; what a variable supplies of them is not known here
 * @param hrefs - of one rendered mail, where ours lead to `tracking_url`
 */
export function linkFindings(
  links: readonly TemplateLink[],
  hrefs: readonly string[],
  tracking_url: string,
): Finding[] {
  const ours = new URL(tracking_url).origin
  const targets = [...links.map(({ url }) => url), ...hrefs].flatMap((address) => webTarget(address) ?? [])
  const theirs = targets.filter(({ origin }) => origin !== ours)
  const found: Finding[] = []
  const short = distinct(theirs.filter(({ hostname }) => isShortener(hostname)))
  if (short.length > 0) {
    found.push({
      code: 'link_shortener',
      field: 'template_id',
      detail: `${counted(short.length, 'link')} through a link shortener (${some(short)}): spammers hide behind them, so blocklists and filters refuse mails that have one. Link to the page itself; clicks are counted all the same.`,
    })
  }
  const open = distinct(theirs.filter(({ protocol }) => protocol === 'http:'))
  if (open.length > 0) {
    found.push({
      code: 'insecure_link',
      field: 'template_id',
      detail: `${counted(open.length, 'link')} to http:// (${some(open)}): browsers warn of such pages, and anyone on the way can change them.`,
    })
  }
  return found
}

const distinct = (targets: readonly URL[]) => [...new Set(targets.map(({ href }) => href.slice(0, 100)))]

function webTarget(address: string): URL | null {
  // The host is what is written before the first variable; one with a variable in it is not known.
  const host = /^https?:\/\/[^/?#]+/i.exec(address)?.[0]
  if (host === undefined || host.includes('{{') || !URL.canParse(host)) return null
  return URL.canParse(address) ? new URL(address) : new URL(host)
}
