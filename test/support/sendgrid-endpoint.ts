// SendGrid's v3 mail/send with its documented limits. The recipient's local part (up to a "+") chooses a failure.
import { type Endpoint, Journal, startEndpoint } from './http-endpoint.ts'

export const SENDGRID_KEY = 'SG.test.key'

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

export async function startSendGridEndpoint(): Promise<Endpoint> {
  const journal = new Journal<unknown>()
  return await startEndpoint(async (request, body, response) => {
    const answer = (status: number, value: unknown, headers: Record<string, string> = {}) =>
      void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
    const refuse = (status: number, message: string, headers?: Record<string, string>) =>
      answer(status, { errors: [{ message, field: null, help: null }] }, headers)
    const mark = request.url?.startsWith('/requests/') ? request.url.slice('/requests/'.length) : null
    if (mark !== null) return answer(200, journal.of(mark))
    if (request.headers.authorization !== `Bearer ${SENDGRID_KEY}`) {
      return refuse(401, 'The provided authorization grant is invalid, expired, or revoked')
    }
    if (request.method !== 'POST' || request.url !== '/v3/mail/send') return refuse(404, 'not found')
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
  personalizations?: { to?: { email?: string }[] }[]
  from?: { email?: string }
  subject?: string
  content?: { type?: string; value?: string }[]
  headers?: Record<string, string>
}

/** What the documentation says is a 400 for the whole request. */
function faultOf(mail: SentMail): string | null {
  const recipients = mail.personalizations?.flatMap(({ to }) => to ?? []) ?? []
  if (!mail.from?.email || !mail.subject) return 'from and subject are required'
  if (recipients.length === 0 || (mail.personalizations?.length ?? 0) > 1_000) return '1 to 1000 personalizations'
  const emails = recipients.map(({ email }) => email?.toLowerCase())
  if (emails.some((email) => !email || !/^[\x21-\x7e]+@[\x21-\x7e]+$/.test(email)))
    return 'Does not contain a valid address.'
  if (new Set(emails).size < emails.length) return 'Each email address should be unique.'
  const types = mail.content?.map(({ type }) => type)
  if (!types?.length || mail.content?.some(({ value }) => !value)) return 'content is required'
  // text/plain first, then text/html.
  if (types.indexOf('text/html') < types.indexOf('text/plain')) return 'text/plain must be first'
  for (const [name, value] of Object.entries(mail.headers ?? {})) {
    if (RESERVED.test(name)) return `The header ${name} is reserved`
    if (/[\r\n]/.test(value)) return 'a header has a line break'
  }
  return null
}
