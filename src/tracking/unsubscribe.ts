import { page } from '../pages/answer.ts'
import {
  invalidUnsubscribePage,
  leftPage,
  notSavedPage,
  testMailPage,
  unclearPage,
  unsubscribePage,
} from '../pages/unsubscribe.ts'
import { ANYBODY, NOBODY } from '../tokens/nobody.ts'
import { type Recipient, signRecipient, verifyRecipient } from '../tokens/recipient.ts'
import { preferencesUrl } from '../tokens/urls.ts'
import { bufferUnsubscribe } from './buffer.ts'
import { readForm } from './form.ts'
import type { TrackingServices } from './services.ts'
import { eventOf } from './visit.ts'

/**
 * `/u/<unsubscribe token>`. GET shows a page and changes nothing, because scanners fetch every link. POST acts: from a
 * mail client by one click (RFC 8058: body `List-Unsubscribe=One-Click`, answered by an empty 200), or from the page.
 * A POST is answered with 200 only when the opt-out is durable.
 */
export async function unsubscribe(request: Request, token: string, services: TrackingServices): Promise<Response> {
  const recipient = await verifyRecipient(services.signing_keys, 'unsubscribe', token)
  if (!recipient || recipient.subscriber_id === ANYBODY) return page(404, invalidUnsubscribePage())
  const test_mail = recipient.subscriber_id === NOBODY
  if (request.method !== 'POST') return page(200, test_mail ? testMailPage() : unsubscribePage())

  const form = await readForm(request)
  if (test_mail) return page(200, testMailPage())
  const one_click = form?.get('List-Unsubscribe') === 'One-Click'
  const scope = one_click ? 'lists' : form?.get('scope')
  if (scope !== 'lists' && scope !== 'all') return page(400, unclearPage())

  const { campaign_id, subscriber_id } = recipient
  const event = eventOf(request, services, { kind: 'unsubscribe', campaign_id, subscriber_id, scope })
  if (!(await bufferUnsubscribe(services, event))) {
    return page(503, notSavedPage(scope), { 'Retry-After': '60' })
  }
  if (one_click) return new Response(null, { headers: { 'Cache-Control': 'no-store' } })
  return page(200, leftPage(scope, await preferencesOf(recipient, services)))
}

/** Only for whoever has just left: the page behind it shows more than this one asks for. A retired key opens it to nobody. */
async function preferencesOf(
  { campaign_id, subscriber_id, state }: Recipient,
  { signing_keys, public_url }: TrackingServices,
): Promise<string | null> {
  if (public_url === '' || state === 'redirect-only') return null
  return preferencesUrl(public_url, await signRecipient(signing_keys, 'preferences', campaign_id, subscriber_id))
}
