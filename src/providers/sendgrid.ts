import sendgrid from '@sendgrid/mail'
import { wireAddress } from '../mime/address.ts'
import { refuseControl, textField } from '../mime/headers.ts'
import type { SendGridAccount } from './account.ts'
import { answerText } from './answer.ts'
import { sendInFlight } from './in_flight.ts'
import { type Mail, type Mailbox, type Outcome, type Provider, UnsendableMail } from './provider.ts'
import { retryAfter } from './retry_after.ts'

type MailData = Exclude<Parameters<typeof sendgrid.send>[0], unknown[]>
type Service = typeof sendgrid & { client: { setDefaultRequest(key: 'baseUrl', value: string): unknown } }

/** The class hangs on the default instance, and each of its instances has a client of its own; the package's types say neither. */
const { MailService } = sendgrid as unknown as { MailService: new () => Service }

interface SendGridMail {
  data: MailData
  recipients: [string, string]
}

/** The library waits for ever by itself. Above the patience of the group, which decides. Ms. */
const TIMEOUT = 60_000

/** SendGrid's v3 mail/send, one recipient a request: one bad recipient fails a whole request there. */
export function sendGridProvider(account: SendGridAccount): Provider<SendGridMail> {
  // Never the default instance: it is shared by the whole process, and with it the last key that was set.
  const service = new MailService()
  service.setApiKey(account.api_key)
  // After the key, which resets it.
  if (account.endpoint !== undefined) service.client.setDefaultRequest('baseUrl', `${account.endpoint}/`)
  service.setTimeout(TIMEOUT)

  return {
    prepare: (mail) => ({
      data: mailData(mail),
      recipients: [wireAddress(mail.to.email, 'to').address, mail.to.email],
    }),

    async connect() {
      return {
        usable: true,
        send: (group, deadline) =>
          sendInFlight(group, deadline, async ({ data, recipients }) => {
            try {
              const [{ statusCode, headers }] = await service.send(data)
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
  }
}

/** Objects, not "name <address>" strings: those are parsed again by the library. */
function mailData(mail: Mail): MailData {
  // JSON carries line breaks into SendGrid's own headers unchanged: they are refused here, as in a message of our own.
  refuseControl(mail.subject, 'subject')
  for (const [name, value] of mail.headers) textField(name, value)
  return {
    from: address(mail.from, 'from'),
    to: address(mail.to, 'to'),
    ...(mail.reply_to === null ? {} : { replyTo: address({ email: mail.reply_to, name: null }, 'reply_to') }),
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    headers: { 'Message-ID': `<${mail.message_id}>`, ...Object.fromEntries(mail.headers) },
    // They come back in SendGrid's events.
    customArgs: { campaign_id: String(mail.campaign_id), subscriber_id: String(mail.subscriber_id) },
    trackingSettings: {
      clickTracking: { enable: false, enableText: false },
      openTracking: { enable: false },
      subscriptionTracking: { enable: false },
    },
  }
}

function address(mailbox: Mailbox, part: string): { email: string; name?: string } {
  const wire = wireAddress(mailbox.email, part)
  if (wire.needs_smtputf8) throw new UnsendableMail(`${part}: SendGrid takes only ASCII before the @`)
  if (mailbox.name === null || mailbox.name === '') return { email: wire.address }
  refuseControl(mailbox.name, `${part} name`)
  return { email: wire.address, name: mailbox.name }
}

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
    return { kind: 'later', answer, ...(delay_seconds === undefined ? {} : { delay_seconds }) }
  }
  if (code === 401 || code === 403 || code === 404) return { kind: 'stop', answer }
  if (code >= 400 && code < 500) return { kind: 'never', answer, dead: false }
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
