import sendgrid from '@sendgrid/mail'
import { wireAddress } from '../mime/address.ts'
import { callersField, refuseControl } from '../mime/headers.ts'
import { refuseHuge } from '../mime/message.ts'
import type { SendGridAccount } from './account.ts'
import { answerText } from './answer.ts'
import { sendInFlight } from './in_flight.ts'
import { type Mail, type Mailbox, type Outcome, type Provider, UnsendableMail } from './provider.ts'
import { retryAfter } from './retry_after.ts'
import { sendGridDomain } from './sending-domain.ts'

interface Client {
  setDefaultRequest(key: 'baseUrl', value: string): unknown
  setDefaultRequest(key: 'timeout', value: number): unknown
  setDefaultRequest(key: 'signal', value: AbortSignal): unknown
  request(
    request: { method: 'POST'; url: string; body: MailBody } | { method: 'GET'; url: string },
  ): Promise<[{ statusCode: number; headers: unknown; body: unknown }]>
}
type Service = typeof sendgrid & { client: Client }

/** The class hangs on the default instance, and each of its instances has a client of its own; the package's types say neither. */
const { MailService } = sendgrid as unknown as { MailService: new () => Service }

/** The body of POST /v3/mail/send, as far as it is used here. */
interface MailBody {
  personalizations: { to: Address[] }[]
  from: Address
  reply_to?: Address
  subject: string
  content: { type: 'text/plain' | 'text/html'; value: string }[]
  headers: Record<string, string>
  custom_args: Record<string, string>
  tracking_settings: object
}

interface Address {
  email: string
  name?: string
}

interface SendGridMail {
  body: MailBody
  recipients: [string, string]
}

/** The library waits for ever by itself. As long as the group waits for one answer. Ms. */
const TIMEOUT = 30_000
/** How long asking what the key may do may take, ms. */
const TEST_PATIENCE = 5_000
/** SendGrid keeps these for itself, beside those that no caller sets (Mail Send, "headers"). */
const RESERVED = new Set(['x-sg-id', 'x-sg-eid', 'dkim-signature'])
/** SendGrid's own tracking stays off: links and pixel are ours. */
const TRACKING_OFF = {
  click_tracking: { enable: false, enable_text: false },
  open_tracking: { enable: false },
  subscription_tracking: { enable: false },
}

/** SendGrid's v3 mail/send, one recipient a request: one bad recipient fails a whole request there. */
export function sendGridProvider(account: SendGridAccount): Provider<SendGridMail> {
  // Never the default instance: it is shared by the whole process, and with it the last key that was set.
  const service = new MailService()
  service.setApiKey(account.api_key)
  const { client } = service
  // After the key, which resets it.
  if (account.endpoint !== undefined) client.setDefaultRequest('baseUrl', `${account.endpoint}/`)
  client.setDefaultRequest('timeout', TIMEOUT)

  return {
    prepare: (mail) => ({
      body: mailBody(mail),
      recipients: [wireAddress(mail.to.email, 'to').address, mail.to.email],
    }),

    async connect(slots) {
      return {
        usable: true,
        send: (group, deadline) =>
          sendInFlight(slots, group, deadline, async ({ body, recipients }, signal) => {
            try {
              // Read at once by request(), before another mail sets its own.
              client.setDefaultRequest('signal', signal)
              // Not send(): it makes the mail's own headers headers of the request too, and may throw on a content filter.
              const [{ statusCode, headers }] = await client.request({ method: 'POST', url: '/v3/mail/send', body })
              const id = (headers as Record<string, unknown>)['x-message-id']
              return {
                kind: 'sent',
                answer: String(statusCode),
                ...(typeof id === 'string' ? { provider_message_id: id } : {}),
              }
            } catch (error) {
              return sendGridOutcome(error, recipients, Date.now())
            }
          }),
        async close() {},
      }
    },

    async sendingDomain(domain, slots) {
      const free = await slots.take()
      try {
        client.setDefaultRequest('signal', AbortSignal.timeout(TEST_PATIENCE))
        const [{ body }] = await client.request({ method: 'GET', url: '/v3/whitelabel/domains?limit=200' })
        return sendGridDomain(domain, body)
      } catch {
        return null
      } finally {
        free()
      }
    },

    async test(slots) {
      const free = await slots.take()
      try {
        // Another's may have rung since.
        client.setDefaultRequest('signal', AbortSignal.timeout(TEST_PATIENCE))
        const [{ body }] = await client.request({ method: 'GET', url: '/v3/scopes' })
        const scopes = typeof body === 'object' && body !== null && 'scopes' in body ? body.scopes : null
        if (Array.isArray(scopes) && scopes.includes('mail.send')) {
          return { ok: true, answer: 'SendGrid takes the key, and it may send mail' }
        }
        return { ok: false, answer: 'SendGrid takes the key, but it may not send mail (mail.send)' }
      } catch (error) {
        return { ok: false, answer: sendGridOutcome(error, [], Date.now()).answer }
      } finally {
        free()
      }
    },
  }
}

/** @throws {UnsendableMail} for what SendGrid refuses in any request, and for what JSON would carry into its headers */
function mailBody(mail: Mail): MailBody {
  refuseHuge(mail)
  refuseControl(mail.subject, 'subject')
  if (mail.subject === '') throw new UnsendableMail('subject: SendGrid takes no mail without one')
  const content: MailBody['content'] = []
  if (mail.text !== '') content.push({ type: 'text/plain', value: mail.text })
  if (mail.html !== '') content.push({ type: 'text/html', value: mail.html })
  if (content.length === 0) throw new UnsendableMail('body: SendGrid takes no mail without one')
  return {
    personalizations: [{ to: [address(mail.to, 'to')] }],
    from: address(mail.from, 'from'),
    ...(mail.reply_to === null ? {} : { reply_to: address({ email: mail.reply_to, name: null }, 'reply_to') }),
    subject: mail.subject,
    content,
    headers: { 'Message-ID': `<${mail.message_id}>`, ...Object.fromEntries(mail.headers.map(headerField)) },
    // They come back in SendGrid's events.
    custom_args: { campaign_id: String(mail.campaign_id), subscriber_id: String(mail.subscriber_id) },
    tracking_settings: TRACKING_OFF,
  }
}

/** SendGrid folds, but leaves the encoding of what is not ASCII to us. */
function headerField([name, value]: readonly [string, string]): [string, string] {
  if (RESERVED.has(name.toLowerCase())) throw new UnsendableMail(`header ${name}: SendGrid keeps it for itself`)
  const field = callersField(name, value)
  return [name, field.slice(name.length + 2, -2).replaceAll('\r\n ', ' ')]
}

function address(mailbox: Mailbox, part: string): Address {
  const wire = wireAddress(mailbox.email, part)
  if (wire.needs_smtputf8) throw new UnsendableMail(`${part}: SendGrid takes only ASCII before the @`)
  if (mailbox.name === null || mailbox.name === '') return { email: wire.address }
  refuseControl(mailbox.name, `${part} name`)
  return { email: wire.address, name: mailbox.name }
}

/** Statuses that concern key, plan or sender: every other mail would fare the same. 451: not in this region. */
const ACCOUNT = new Set([401, 403, 404, 405, 406, 415, 451])

/** What a failed request means: an HTTP status from SendGrid, or none when the network failed. @param now ms since 1970 */
export function sendGridOutcome(error: unknown, recipients: readonly string[], now: number): Outcome {
  const { code, message, response } = error as { code?: unknown; message?: unknown; response?: ErrorResponse }
  const detail = response?.body?.errors?.[0]?.message ?? message
  const answer = answerText(
    `${typeof code === 'number' ? `${code} ` : ''}${detail ?? 'the request failed'}`,
    ...recipients,
  )
  if (typeof code !== 'number') return { kind: 'unknown', answer }
  if (code === 429 || code === 503) {
    const delay_seconds = retryAfter((name) => header(response, name), now)
    return {
      kind: 'later',
      answer,
      ...(delay_seconds === undefined ? {} : { delay_seconds }),
      ...(code === 429 ? { throttled: true } : {}),
    }
  }
  if (ACCOUNT.has(code)) return { kind: 'stop', answer }
  if (code >= 400 && code < 500 && code !== 408) return { kind: 'never', answer, dead: false }
  return { kind: 'unknown', answer }
}

interface ErrorResponse {
  headers?: Record<string, unknown>
  body?: { errors?: { message?: string }[] }
}

function header(response: ErrorResponse | undefined, name: string): string | null {
  const value = response?.headers?.[name]
  return value === undefined || value === null ? null : String(value)
}
