// A certificate authority and a certificate for this computer, made anew for each run: no file to renew, no openssl needed.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface Certificates {
  /** What a client must trust. PEM. */
  ca: string
  /** For `localhost` and 127.0.0.1, signed by `ca`. PEM. */
  cert: string
  key: string
}

export function makeCertificates(): Certificates {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = name('Test CA')
  const yes = der(0x01, Buffer.from([0xff]))
  const ca_extensions = [
    extension('551d13', sequence(yes), true),
    extension('551d0f', bits(Buffer.from([0x06]), 1), true),
  ]
  const names = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))
  return {
    ca: certificate(issuer, issuer, authority.publicKey, authority.privateKey, ca_extensions),
    cert: certificate(issuer, name('localhost'), server.publicKey, authority.privateKey, [
      extension('551d11', names, false),
    ]),
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** RFC 5280 4.1, signed with ECDSA and SHA-256, valid from yesterday for a month. */
function certificate(
  issuer: Buffer,
  subject: Buffer,
  subject_key: KeyObject,
  issuer_key: KeyObject,
  extensions: Buffer[],
): string {
  const day = 86_400_000
  const algorithm = sequence(oid('2a8648ce3d040302'))
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    issuer,
    sequence(time(Date.now() - day), time(Date.now() + 30 * day)),
    subject,
    subject_key.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const base64 = sequence(tbs, algorithm, bits(sign('sha256', tbs, issuer_key), 0)).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`
}

function der(tag: number, content: Buffer): Buffer {
  const length = content.length
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: Buffer[]) => der(0x30, Buffer.concat(parts))
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const bits = (content: Buffer, unused: number) => der(0x03, Buffer.concat([Buffer.from([unused]), content]))
const name = (common_name: string) => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(common_name)))))
const time = (ms: number) => der(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`))
const extension = (id: string, value: Buffer, critical: boolean) =>
  sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value))
