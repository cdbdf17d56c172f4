import { Hono } from 'hono'
import type { AppEnv } from '../http/context.ts'
import { Problem } from '../http/problem.ts'
import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import { receiveSendGrid, receiveSes } from './receive.ts'
import { snsCertificates } from './sns-certificate.ts'

/** Where services post what became of mails. Nobody logs in here: each post is known by its signature. */
export function feedbackRoutes(services: Services) {
  const certificates = snsCertificates()
  return new Hono<AppEnv>()
    .post('/webhooks/ses', async (c) => c.json(await noted('ses', receiveSes(services, c.req.raw, certificates))))
    .post('/webhooks/sendgrid', async (c) => c.json(await noted('sendgrid', receiveSendGrid(services, c.req.raw))))
}

/** Nobody reads what a service is answered: what is refused is told to the log, in our own words alone. */
async function noted<T>(source: string, receiving: Promise<T>): Promise<T> {
  try {
    return await receiving
  } catch (error) {
    if (error instanceof Problem) log('webhook_refused', { source, code: error.code, detail: error.detail })
    throw error
  }
}
