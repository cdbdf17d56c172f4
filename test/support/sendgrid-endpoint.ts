// SendGrid's v3 mail/send with its documented limits. The recipient's local part (up to a "+") chooses a failure.
import { type Endpoint, Journal, startEndpoint } from './http-endpoint.ts'

export const SENDGRID_KEY = 'SG.test.key'
/** A key that may read statistics and nothing else. */
const STATS_KEY = 'SG.stats.key'

const FAILURES: Record<string, [number, string]> = {
  forbidden: [403, 'The from address does not match a verified Sender Identity.'],
  bad: [400, 'Does not contain a valid address.'],
  large: [413, 'The message is too large.'],
  fail500: [500, 'Internal error'],
  fail502: [502, 'Bad gateway'],
  fail504: [504, 'Gateway timeout'],
}
/** Headers that SendGrid refuses in a message (Mail Send, "headers"). */
const RESERVED =
  /^(?:x-sg-id|x-sg-eid|received|dkim-signature|content-type|content-transfer-encoding|to|from|subject|reply-to|cc|bcc)$/i

const ADDRESS = /^[\x21-\x7e]+@[\x21-\x7e]+$/
/** Octets of a request (Mail Send, "Limitations"). */
const LARGEST = 30 * 1024 * 1024

export async function startSendGridEndpoint(): Promise<Endpoint> {
  const journal = new Journal<unknown>()
  return await startEndpoint(async (request, body, response) => {
    const answer = (status: number, value: unknown, headers: Record<string, string> = {}) =>
      void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
    const refuse = (status: number, message: string, headers?: Record<string, string>) =>
      answer(status, { errors: [{ message, field: null, help: null }] }, headers)
    const mark = request.url?.startsWith('/requests/') ? request.url.slice('/requests/'.length) : null
    if (mark !== null) return answer(200, journal.of(mark))
    if (request.url === '/v3/scopes' && request.headers.authorization === `Bearer ${STATS_KEY}`) {
      return answer(200, { scopes: ['stats.read'] })
    }
    if (request.headers.authorization !== `Bearer ${SENDGRID_KEY}`) {
      return refuse(401, 'The provided authorization grant is invalid, expired, or revoked')
    }
    if (request.method === 'GET' && request.url === '/v3/scopes') {
      return answer(200, { scopes: ['mail.send', 'sender_verification_eligible'] })
    }
    if (request.method === 'GET' && request.url?.startsWith('/v3/whitelabel/domains?')) {
      const mail_cname = { type: 'cname', host: 'em1.sender.example', data: 'u1.wl.sendgrid.net' }
      const dkim1 = { type: 'cname', host: 's1._domainkey.sender.example', data: 's1.domainkey.u1.wl.sendgrid.net' }
      return answer(200, [{ domain: 'sender.example', valid: true, dns: { mail_cname, dkim1 } }])
    }
    if (request.method !== 'POST' || request.url !== '/v3/mail/send') return refuse(404, 'not found')
    if (Buffer.byteLength(body) > LARGEST) return refuse(413, 'The JSON payload you have included is too large.')
    const sent = JSON.parse(body)
    const fault = faultOf(sent)
    if (fault !== null) return refuse(400, fault)
    const to: string = sent.personalizations[0].to[0].email
    journal.add(to.slice(to.indexOf('+') + 1, to.indexOf('@')), sent)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const wanted = to.split(/[+@]/)[0] ?? ''
    if (wanted === 'drop') return void request.socket.destroy()
    if (wanted === 'hang') return
    if (wanted === 'throttle') {
      const reset = String(Math.floor(Date.now() / 1000) + 90)
      return refuse(429, 'too many requests', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset })
    }
    if (wanted === 'fail503') return refuse(503, 'SERVICE_NOT_AVAILABLE', { 'retry-after': '120' })
    const failure = FAILURES[wanted]
    if (failure) return refuse(failure[0], `${failure[1]} (${to})`)
    response.writeHead(202, { 'x-message-id': `sg-${sent.custom_args?.subscriber_id}` }).end()
  })
}

interface SentMail {
  personalizations?: { to?: { email?: unknown }[]; cc?: { email?: unknown }[]; bcc?: { email?: unknown }[] }[]
  from?: { email?: unknown }
  subject?: unknown
  content?: { type?: unknown; value?: unknown }[]
  headers?: Record<string, unknown>
  custom_args?: Record<string, unknown>
}

/** What the documentation says is a 400 for the whole request (Mail Send, "Errors" and "Limitations"). */
function faultOf(mail: SentMail): string | null {
  const personalizations = mail.personalizations ?? []
  if (personalizations.length === 0) return 'You must have at least one personalization.'
  if (personalizations.length > 1_000) {
    return `The personalization block is limited to 1000 personalizations per API request. You have provided ${personalizations.length} personalizations.`
  }
  const recipients = personalizations.flatMap(({ to, cc, bcc }) => [...(to ?? []), ...(cc ?? []), ...(bcc ?? [])])
  if (recipients.length > 1_000) return 'There is a limit of 1000 total recipients (to + cc + bcc) per request.'
  if (personalizations.some(({ to }) => !to?.length))
    return 'The to parameter is required for all personalization objects'
  for (const { email } of [...recipients, mail.from ?? {}]) {
    if (typeof email !== 'string' || !ADDRESS.test(email)) return 'Does not contain a valid address.'
  }
  const emails = recipients.map(({ email }) => String(email).toLowerCase())
  if (new Set(emails).size < emails.length) {
    return 'Each unique email address in the personalizations array should only be included once.'
  }
  if (typeof mail.subject !== 'string' || mail.subject === '') return 'The subject is required.'
  const types = mail.content?.map(({ type }) => type) ?? []
  if (types.length === 0) return 'Unless a valid template_id is provided, the content parameter is required.'
  if (mail.content?.some(({ value }) => typeof value !== 'string' || value === '')) {
    return 'The content value must be a string at least one character in length.'
  }
  if (types.includes('text/html') && types.indexOf('text/html') < types.indexOf('text/plain')) {
    return 'If present, text/plain must be first'
  }
  for (const [name, value] of Object.entries(mail.headers ?? {})) {
    if (RESERVED.test(name)) return `Header name ${name} is reserved`
    if (typeof value !== 'string' || !/^[\x20-\x7e]*$/.test(value)) return `The header ${name} is not properly encoded`
  }
  if (JSON.stringify(mail.custom_args ?? {}).length > 10_000) return 'The custom_args may not exceed 10000 bytes'
  return null
}
