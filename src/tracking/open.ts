import { verifyRecipient } from '../tokens/recipient.ts'
import { bufferEvent } from './buffer.ts'
import type { Deferral, TrackingServices } from './services.ts'
import { eventOf } from './visit.ts'

/** The smallest picture that every mail client draws: one transparent pixel, 43 bytes. */
const GIF = Uint8Array.from([
  ...[0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0], // GIF89a, 1 by 1, two colours
  ...[0, 0, 0, 0xff, 0xff, 0xff], // black, white
  ...[0x21, 0xf9, 4, 1, 0, 0, 0, 0], // colour 0 is transparent
  ...[0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b], // one picture of one pixel, end
])

const HEADERS = {
  'Content-Type': 'image/gif',
  'Content-Length': String(GIF.length),
  // A cached pixel would hide every open but the first.
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  // Webmail may refuse pictures of other origins without it.
  'Cross-Origin-Resource-Policy': 'cross-origin',
}

/** `/t/o/<open token>.gif`: the picture, whatever the token; only a good one is recorded. */
export async function open(
  request: Request,
  name: string,
  services: TrackingServices,
  ctx: Deferral,
): Promise<Response> {
  const recipient = await verifyRecipient(services.signing_keys, 'open', name.replace(/\.gif$/, ''))
  if (recipient && recipient.state !== 'redirect-only') {
    const { campaign_id, subscriber_id } = recipient
    ctx.waitUntil(bufferEvent(services, eventOf(request, services, { kind: 'open', campaign_id, subscriber_id })))
  }
  return new Response(request.method === 'HEAD' ? null : GIF, { headers: HEADERS })
}
