// Standard Webhooks (https://www.standardwebhooks.com): what is signed is `id.timestamp.body`, with HMAC-SHA256.
const encoder = new TextEncoder()
const PREFIX = 'whsec_'

/** @param random - 32 random bytes; the specification asks for 24 to 64 */
export const newSecret = (random: Uint8Array) => `${PREFIX}${encodeBase64(random)}`

/**
 * The three headers of one try.
 *
 * @param id - the same for every try of a message
 * @param secrets - each signs; receivers take the message if one of the signatures is theirs
 */
export async function signatureHeaders(
  secrets: readonly string[],
  id: string,
  at: Date,
  body: string,
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(at.getTime() / 1000))
  const signed = encoder.encode(`${id}.${timestamp}.${body}`)
  const signatures = await Promise.all(
    secrets.map(async (secret) => {
      const raw = decodeBase64(secret.slice(PREFIX.length))
      const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
      return `v1,${encodeBase64(new Uint8Array(await crypto.subtle.sign('HMAC', key, signed)))}`
    }),
  )
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}

const encodeBase64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes))
const decodeBase64 = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
