import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import { WRANGLER } from '../../local/wrangler.ts'
import type { DerivedConfig } from './configs.ts'
import { type Settings, secretValues } from './settings.ts'

/**
 * `wrangler deploy` of one Worker. Its secrets go with the upload, in the same version: there is no moment in which new
 * code runs without them, and a first deployment needs no second step.
 *
 * @param path the derived wrangler file
 * @throws with wrangler's own words, secrets blotted out
 */
export async function uploadWorker({ name, secrets }: DerivedConfig, path: string, settings: Settings): Promise<void> {
  const secrets_path = path.replace(/\.json$/, '.secrets.json')
  // JSON, since wrangler lets variables of the process win over a file in .env form.
  const values = Object.fromEntries(secrets.map((secret) => [secret, settings[secret as keyof Settings]]))
  writeFileSync(secrets_path, JSON.stringify(values), { mode: 0o600 })
  try {
    const { status, output } = await wrangler(['deploy', '-c', path, '--secrets-file', secrets_path], settings)
    if (status !== 0) throw new Error(`wrangler could not deploy ${name}:\n${mask(output, settings).trim()}`)
  } finally {
    rmSync(secrets_path, { force: true })
  }
}

function wrangler(args: readonly string[], settings: Settings): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRANGLER, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        CLOUDFLARE_API_TOKEN: settings.CLOUDFLARE_API_TOKEN,
        CLOUDFLARE_ACCOUNT_ID: settings.CLOUDFLARE_ACCOUNT_ID,
        CI: '1',
        NO_COLOR: '1',
        WRANGLER_SEND_METRICS: 'false',
      },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
      })
    }
    child.on('error', reject)
    // The bundler colours its errors whatever it is told.
    child.on('close', (status) => resolve({ status, output: stripVTControlCharacters(output) }))
  })
}

export function mask(text: string, settings: Settings): string {
  return secretValues(settings).reduce((masked, value) => masked.replaceAll(value, '***'), text)
}
