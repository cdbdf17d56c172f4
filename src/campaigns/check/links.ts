import { isPersonal } from '../../render/splice.ts'
import type { TemplateLink } from '../../templates/compiled.ts'
import { isTrackable } from '../../tokens/link.ts'
import type { TrackingMode } from '../tracking-mode.ts'
import { type Utm, withUtm } from '../utm.ts'
import { counted, type Finding, some } from './finding.ts'
import { isShortener } from './shorteners.ts'

interface Tracked {
  compiled: { links: TemplateLink[] }
  utm: Utm | null
  track_clicks: TrackingMode
}

/** Links that no longer fit a tracked address once the campaign's parameters are added. */
export function overlongLinks({ compiled, utm, track_clicks }: Tracked): Finding[] {
  if (track_clicks === 'none') return []
  return compiled.links
    .filter((link) => !isPersonal(link) && !isTrackable(withUtm(link.url, utm)))
    .map(({ n }) => ({
      code: 'link_too_long',
      field: 'utm',
      detail: `with these parameters the template's link ${n} is too long to be tracked`,
    }))
}

/** What a campaign that does not say who clicked leaves out. */
export function untrackedFindings({ compiled, utm, track_clicks }: Tracked): Finding[] {
  const found: Finding[] = []
  const personal = compiled.links.filter(isPersonal)
  if (track_clicks === 'aggregate' && personal.length > 0) {
    found.push({
      code: 'untracked_link',
      field: 'track_clicks',
      detail: `${counted(personal.length, 'link')} with variables in the address (${some(personal.map(({ url }) => url.slice(0, 100)))}) will not be counted: a tracked address would be the reader's own, and clicks are counted without saying who.`,
    })
  }
  if (track_clicks === 'none' && utm && Object.keys(utm).length > 0 && compiled.links.length > 0) {
    found.push({
      code: 'utm_unused',
      field: 'utm',
      detail: 'is not added to any link: clicks are not tracked, so links stay as they are',
    })
  }
  return found
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
