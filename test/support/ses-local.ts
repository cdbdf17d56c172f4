import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../local/ports.ts'
import type { Endpoint } from './http-endpoint.ts'

const CLI = fileURLToPath(new URL('../../node_modules/aws-ses-v2-local/dist/cli.js', import.meta.url))

/** What GetAccount answers; it must be whole. */
const ACCOUNT = {
  DedicatedIpAutoWarmupEnabled: false,
  Details: {
    AdditionalContactEmailAddresses: [],
    ContactLanguage: 'EN',
    MailType: 'MARKETING',
    ReviewDetails: { CaseId: '1', Status: 'GRANTED' },
    UseCaseDescription: 'news',
    WebsiteURL: 'https://sender.example',
  },
  EnforcementStatus: 'HEALTHY',
  ProductionAccessEnabled: true,
  SendingEnabled: true,
  SendQuota: { Max24HourSend: 100_000, MaxSendRate: 20, SentLast24Hours: 7 },
  SuppressionAttributes: { SuppressedReasons: ['BOUNCE'] },
}

/** aws-ses-v2-local in a process of its own: a second opinion on the form of the request. */
export async function startSesLocal(): Promise<Endpoint> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(process.execPath, [CLI, '--port', String(port)], {
    stdio: 'ignore',
    env: { ...process.env, AWS_SES_ACCOUNT: JSON.stringify(ACCOUNT) },
  })
  const stop = () => {
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    return child.kill() ? gone : Promise.resolve()
  }
  for (let attempt = 0; attempt < 100; attempt++) {
    if (child.exitCode !== null) throw new Error(`aws-ses-v2-local ended with code ${child.exitCode}`)
    const healthy = await fetch(`${url}/health-check`).then(
      (response) => response.ok,
      () => false,
    )
    if (healthy) return { url, stop }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await stop()
  throw new Error('aws-ses-v2-local did not answer')
}
