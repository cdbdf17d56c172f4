// Amazon SNS's side of its messages: a key, the certificate of it and signed messages, in the form that its documentation
// gives. Made with WebCrypto, so that it runs inside workerd as well.

export interface SnsSigner {
  /** PEM. */
  certificate: string
  /** Adds Signature, SignatureVersion and SigningCertURL. */
  sign(message: SnsFields): Promise<SnsFields>
}

export type SnsFields = Record<string, unknown> & { Type: string }

const RSA = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2_048, publicExponent: new Uint8Array([1, 0, 1]) }
const SHA256_RSA = '2a864886f70d01010b'
const DAY = 86_400_000

/** @param validity - ms since 1970 */
export async function snsSigner(
  certificate_url: string,
  validity: { from: number; to: number } = { from: Date.now() - DAY, to: Date.now() + 30 * DAY },
): Promise<SnsSigner> {
  const pair = (await crypto.subtle.generateKey({ ...RSA, hash: 'SHA-256' }, true, ['sign', 'verify'])) as CryptoKeyPair
  const signBytes = async (bytes: Uint8Array) =>
    new Uint8Array(await crypto.subtle.sign(RSA.name, pair.privateKey, Uint8Array.from(bytes)))
  const spki = new Uint8Array((await crypto.subtle.exportKey('spki', pair.publicKey)) as ArrayBuffer)

  const algorithm = der(0x30, der(0x06, hex(SHA256_RSA)), der(0x05))
  const name = der(
    0x30,
    der(0x31, der(0x30, der(0x06, hex('550403')), der(0x0c, new TextEncoder().encode('sns.amazonaws.com')))),
  )
  const serial = der(0x02, Uint8Array.from([1, ...crypto.getRandomValues(new Uint8Array(8))]))
  const version = der(0xa0, der(0x02, new Uint8Array([2])))
  const tbs = der(0x30, version, serial, algorithm, name, der(0x30, time(validity.from), time(validity.to)), name, spki)
  const whole = der(0x30, tbs, algorithm, der(0x03, new Uint8Array([0]), await signBytes(tbs)))
  const lines = base64(whole).replace(/.{64}/g, '$&\n').trimEnd()

  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    async sign(message) {
      const names =
        message.Type === 'Notification'
          ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
          : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']
      const text = names
        .filter((field) => message[field] !== undefined)
        .map((field) => `${field}\n${message[field]}\n`)
        .join('')
      const signature = base64(await signBytes(new TextEncoder().encode(text)))
      return { ...message, SignatureVersion: '2', Signature: signature, SigningCertURL: certificate_url }
    },
  }
}

function der(tag: number, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255]
  const whole = new Uint8Array(head.length + length)
  whole.set(head)
  let at = head.length
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const base64 = (bytes: Uint8Array) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
const time = (ms: number) =>
  der(0x17, new TextEncoder().encode(`${new Date(ms).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`))
