import { page } from '../pages/answer.ts'
import { brokenLinkPage } from '../pages/missing.ts'
import { isRecipientLink, verifyLink, verifyRecipientLink } from '../tokens/link.ts'
import { verifyRecipient } from '../tokens/recipient.ts'
import { bufferEvent } from './buffer.ts'
import type { Deferral, TrackingServices } from './services.ts'
import { eventOf } from './visit.ts'

/**
 * `/t/c/<click token>/<link half>`: to the link's URL. It asks nobody; a bad recipient half does not stop the reader,
 * it only is not recorded, like halves of two campaigns. Only a link that was made of a
 * recipient's data leads nowhere without that recipient's half: else anybody's data could make it lead anywhere.
 */
export async function click(
  request: Request,
  token: string,
  half: string,
  services: TrackingServices,
  ctx: Deferral,
): Promise<Response> {
  const { signing_keys } = services
  const verified = verifyRecipient(signing_keys, 'click', token)
  const [recipient, link] = await Promise.all([
    verified,
    isRecipientLink(half)
      ? verified.then((recipient) => recipient && verifyRecipientLink(signing_keys, half, recipient))
      : verifyLink(signing_keys, half),
  ])
  if (!link) return page(404, brokenLinkPage())
  const retired = recipient?.state === 'redirect-only' || link.state === 'redirect-only'
  if (recipient?.campaign_id === link.campaign_id && !retired) {
    const { campaign_id, subscriber_id } = recipient
    const event = eventOf(request, services, { kind: 'click', campaign_id, subscriber_id, link: link.n })
    ctx.waitUntil(bufferEvent(services, event))
  }
  return new Response(null, {
    status: 302,
    headers: {
      Location: headerUrl(link.url),
      'Cache-Control': 'no-store',
      // The address holds the reader's token: the target must not learn it.
      'Referrer-Policy': 'no-referrer',
      'X-Robots-Tag': 'noindex',
    },
  })
}

/** As it was written; a header is ASCII, so what is not is written the way every browser would. */
const headerUrl = (url: string) => (/^[\x21-\x7e]+$/.test(url) ? url : new URL(url).href)
