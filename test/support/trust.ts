// Certificates for TLS in tests, trusted by workerd. To be called before Miniflare is loaded: it reads
// NODE_EXTRA_CA_CERTS once, while it is imported.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Certificates, makeCertificates } from './certificates.ts'

const VARIABLE = 'EMK_TEST_CERTIFICATES'

export function trustTestCertificates(): void {
  if (process.env[VARIABLE] !== undefined) return
  const folder = mkdtempSync(join(tmpdir(), 'emk-tls-'))
  const certificates = makeCertificates()
  writeFileSync(join(folder, 'all.json'), JSON.stringify(certificates))
  writeFileSync(join(folder, 'ca.pem'), certificates.ca)
  process.env.NODE_EXTRA_CA_CERTS = join(folder, 'ca.pem')
  process.env[VARIABLE] = folder
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
}

/** The certificates of this run, for servers that tests talk to. */
export function testCertificates(): Certificates {
  const folder = process.env[VARIABLE]
  if (folder === undefined) throw new Error('vitest.config.ts did not call trustTestCertificates')
  return JSON.parse(readFileSync(join(folder, 'all.json'), 'utf8'))
}
