import { AwsClient } from 'aws4fetch'
import { base64 } from '../mime/encode.ts'
import { buildMessage } from '../mime/message.ts'
import type { SesAccount } from './account.ts'
import { answerText } from './answer.ts'
import { sendInFlight } from './in_flight.ts'
import { type Outcome, type Provider, UnsendableMail } from './provider.ts'

interface SesMail {
  /** The request, as JSON. */
  body: string
  recipients: [string, string]
}

/** The daily quota moves hour by hour (a sliding day): asking earlier only costs requests. Seconds. */
const QUOTA_DELAY = 3_600

/** Amazon SES v2, the whole message as `Raw`. SES replaces Message-ID and Date; our ids travel as tags and in X-EMK. */
export function sesProvider(account: SesAccount): Provider<SesMail> {
  const aws = new AwsClient({
    accessKeyId: account.access_key_id,
    secretAccessKey: account.secret_access_key,
    region: account.region,
    service: 'ses',
    // Its own repeats would mail twice after a lost answer.
    retries: 0,
  })
  const url = `${account.endpoint ?? `https://email.${account.region}.amazonaws.com`}/v2/email/outbound-emails`

  return {
    prepare(mail) {
      const ids = `${mail.campaign_id}.${mail.subscriber_id}`
      const message = buildMessage({ ...mail, headers: [...mail.headers, ['X-EMK', ids]] })
      if (message.needs_smtputf8) throw new UnsendableMail('to: Amazon SES takes only ASCII before the @')
      const body = JSON.stringify({
        Destination: { ToAddresses: [message.envelope_to] },
        Content: { Raw: { Data: base64(message.bytes) } },
        EmailTags: [
          { Name: 'campaign_id', Value: String(mail.campaign_id) },
          { Name: 'subscriber_id', Value: String(mail.subscriber_id) },
        ],
        ...(account.configuration_set === undefined ? {} : { ConfigurationSetName: account.configuration_set }),
      })
      return { body, recipients: [message.envelope_to, mail.to.email] }
    },

    async connect() {
      return {
        usable: true,
        send: (group, deadline) =>
          sendInFlight(group, deadline, async ({ body, recipients }, signal) => {
            const headers = { 'content-type': 'application/json' }
            const response = await aws.fetch(url, { method: 'POST', headers, body, signal })
            return sesOutcome(
              response.status,
              response.headers.get('x-amzn-errortype'),
              await response.text(),
              recipients,
            )
          }),
        async close() {},
      }
    },
  }
}

/** Errors of SendEmail and of the signature that concern the account: every other mail would fare the same. */
const ACCOUNT = new Set([
  'AccountSuspendedException',
  'SendingPausedException',
  'MailFromDomainNotVerifiedException',
  'NotFoundException',
  'AccessDeniedException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
  'ExpiredTokenException',
])
const TOO_FAST = new Set(['TooManyRequestsException', 'Throttling', 'ThrottlingException'])

/** What SES's answer means. @param error_type of the header x-amzn-ErrorType, which may end in ":" and a URL */
export function sesOutcome(
  status: number,
  error_type: string | null,
  body: string,
  recipients: readonly string[],
): Outcome {
  const fields = jsonObject(body)
  if (status === 200) {
    const id = fields.MessageId
    return { kind: 'sent', answer: '200', ...(typeof id === 'string' ? { provider_message_id: id } : {}) }
  }
  const type = typeOf(error_type ?? fields.__type ?? fields.code)
  const message = String(fields.message ?? fields.Message ?? '')
  const answer = answerText(`${status} ${type} ${message}`, ...recipients)
  if (ACCOUNT.has(type)) return { kind: 'stop', answer }
  if (type === 'LimitExceededException' || (TOO_FAST.has(type) && /daily/i.test(message))) {
    return { kind: 'later', answer, delay_seconds: QUOTA_DELAY }
  }
  if (TOO_FAST.has(type) || status === 429 || status === 503) return { kind: 'later', answer }
  // A sender that is not verified, or an account still in the sandbox.
  if (type === 'MessageRejected' && /not verified/i.test(message)) return { kind: 'stop', answer }
  if (status === 401 || status === 403 || status === 404) return { kind: 'stop', answer }
  if (status >= 400 && status < 500) return { kind: 'never', answer, dead: false }
  // 500, 502, 504 and whatever else: the mail may be on its way.
  return { kind: 'unknown', answer }
}

function typeOf(value: unknown): string {
  const text = typeof value === 'string' ? value : ''
  return text.slice(text.lastIndexOf('#') + 1).split(':')[0] ?? ''
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
