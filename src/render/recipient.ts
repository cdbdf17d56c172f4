import type { Snapshot } from '../campaigns/snapshot.ts'
import type { TrackingMode } from '../campaigns/tracking-mode.ts'
import { withUtm } from '../campaigns/utm.ts'
import type { SigningKeys } from '../tokens/keys.ts'
import { signRecipientLink } from '../tokens/link.ts'
import { ANYBODY, NOBODY } from '../tokens/nobody.ts'
import { type RecipientPurpose, signRecipient } from '../tokens/recipient.ts'
import { clickBase, openUrl, preferencesUrl, unsubscribeUrl, webViewUrl } from '../tokens/urls.ts'
import { type OwnAddresses, type TemplatePerson, templateData } from './data.ts'
import type { LinkHosts } from './link-hosts.ts'
import type { Rendered, Renderer } from './render.ts'

/** What makes a mail its recipient's own. */
export interface Signing {
  signing_keys: SigningKeys
  link_hosts: LinkHosts
}

export interface RecipientMail extends Rendered {
  unsubscribe_url: string
}

/**
 * Renders a campaign's mail for one recipient, with their own pixel, links and addresses, as far as the campaign tracks: one
 * that counts without saying who gives everybody the same pixel and links, and then a link that is made of a recipient's data
 * leads straight to its target.
 *
 * @param pixel - whether to count that it is opened
 * @throws {RenderError} when it cannot be rendered with this person's data
 */
export async function renderForRecipient(
  { snapshot, renderer }: { snapshot: Snapshot; renderer: Renderer },
  person: TemplatePerson & { subscriber_id: number },
  { signing_keys, link_hosts }: Signing,
  pixel: boolean,
): Promise<RecipientMail> {
  const { tracking_url, public_url, utm, track_opens, track_clicks } = snapshot
  const recipient = { campaign_id: snapshot.campaign.id, subscriber_id: person.subscriber_id }
  const token = (purpose: RecipientPurpose, subscriber_id: number) =>
    signRecipient(signing_keys, purpose, recipient.campaign_id, subscriber_id)
  const counted = (purpose: 'open' | 'click', mode: TrackingMode) =>
    mode === 'none' ? null : token(purpose, mode === 'aggregate' ? anyone(person.subscriber_id) : person.subscriber_id)
  const [open, click, unsubscribe, view, preferences] = await Promise.all([
    pixel ? counted('open', track_opens) : null,
    counted('click', track_clicks),
    token('unsubscribe', person.subscriber_id),
    renderer.shows_web_view ? token('view', person.subscriber_id) : null,
    renderer.shows_preferences ? token('preferences', person.subscriber_id) : null,
  ])
  const unsubscribe_url = unsubscribeUrl(tracking_url, unsubscribe)
  const own: OwnAddresses = {
    unsubscribe_url,
    web_view_url: view === null ? '' : webViewUrl(public_url, view),
    preferences_url: preferences === null ? '' : preferencesUrl(public_url, preferences),
  }
  /** The same link in HTML and text is signed once. */
  const signed = new Map<string, Promise<string>>()
  const signOwn = async (n: number, url: string) => {
    const target = withUtm(url, utm)
    const key = `${n} ${target}`
    const half = signed.get(key) ?? signRecipientLink(signing_keys, recipient, n, target)
    signed.set(key, half)
    return `${clickBase(tracking_url, click ?? '')}/${await half}`
  }
  const sign = track_clicks === 'aggregate' || track_clicks === 'none' ? null : signOwn
  const mail = await renderer.renderTracked(
    templateData(person, snapshot, own),
    { pixel: open === null ? '' : openUrl(tracking_url, open), click: click ?? '' },
    // An empty address leads nowhere.
    { hosts: link_hosts, direct: Object.values(own).filter((address) => address !== ''), sign },
  )
  return { ...mail, unsubscribe_url }
}

/** Whose the tokens are that are everybody's. A test mail's stay nobody's: what comes of it is not the campaign's. */
const anyone = (subscriber_id: number) => (subscriber_id === NOBODY ? NOBODY : ANYBODY)
