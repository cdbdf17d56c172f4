import { AwsClient } from 'aws4fetch'
import { base64 } from '../mime/encode.ts'
import { buildMessage } from '../mime/message.ts'
import type { SesAccount } from './account.ts'
import { answerText } from './answer.ts'
import { sendInFlight } from './in_flight.ts'
import { type Outcome, type Provider, type Quota, type Trial, UnsendableMail } from './provider.ts'
import { sesDomain, UNKNOWN_DOMAIN, withParents } from './sending-domain.ts'

interface SesMail {
  /** The request, as JSON. */
  body: string
  recipients: [string, string]
}

/** Longest request, in characters: SES takes 40 MB of message after base64 (Service quotas), which is nearly all of it. */
const LARGEST = 40_000_000
/** How long asking for the quota may take, ms. */
const QUOTA_PATIENCE = 5_000
/** SES says -1 for an account without a daily limit: more than anyone sends, and unlike Infinity still a number in JSON. */
const UNLIMITED = Number.MAX_SAFE_INTEGER

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
  const base = `${account.endpoint ?? `https://email.${account.region}.amazonaws.com`}/v2/email`

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
      if (body.length > LARGEST) throw new UnsendableMail('body: Amazon SES takes at most 40 MB')
      return { body, recipients: [message.envelope_to, mail.to.email] }
    },

    async connect(slots) {
      return {
        usable: true,
        send: (group, deadline) =>
          sendInFlight(slots, group, deadline, async ({ body, recipients }, signal) => {
            const headers = { 'content-type': 'application/json' }
            const response = await aws.fetch(`${base}/outbound-emails`, { method: 'POST', headers, body, signal })
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

    async test(slots) {
      const free = await slots.take()
      try {
        const response = await aws.fetch(`${base}/account`, { signal: AbortSignal.timeout(QUOTA_PATIENCE) })
        return accountTrial(response.status, response.headers.get('x-amzn-errortype'), await response.text())
      } catch (error) {
        return { ok: false, answer: answerText(error instanceof Error ? error.message : 'the request failed') }
      } finally {
        free()
      }
    },

    async sendingDomain(domain, slots) {
      const free = await slots.take()
      try {
        for (const name of withParents(domain)) {
          const signal = AbortSignal.timeout(QUOTA_PATIENCE)
          const response = await aws.fetch(`${base}/identities/${encodeURIComponent(name)}`, { signal })
          const body = await response.text()
          if (response.status === 200) return sesDomain(name, jsonObject(body))
          if (response.status !== 404) return null
        }
        return UNKNOWN_DOMAIN
      } catch {
        return null
      } finally {
        free()
      }
    },

    async quota() {
      try {
        const response = await aws.fetch(`${base}/account`, { signal: AbortSignal.timeout(QUOTA_PATIENCE) })
        return response.ok ? quotaOf(await response.text()) : null
      } catch {
        return null
      }
    },
  }
}

/** The sending limits in an answer of GetAccount. */
function quotaOf(body: string): Quota | null {
  const { SendQuota } = jsonObject(body)
  if (typeof SendQuota !== 'object' || SendQuota === null) return null
  const { MaxSendRate, Max24HourSend, SentLast24Hours } = SendQuota as Record<string, unknown>
  if (!isNumber(MaxSendRate) || !isNumber(Max24HourSend) || !isNumber(SentLast24Hours)) return null
  if (MaxSendRate <= 0) return null
  const per_day = Max24HourSend < 0 ? UNLIMITED : Max24HourSend
  return { rate_per_second: MaxSendRate, per_day, sent_last_day: SentLast24Hours }
}

/** What an answer of GetAccount says of the account. */
function accountTrial(status: number, error_type: string | null, body: string): Trial {
  const fields = jsonObject(body)
  if (status !== 200) {
    const type = typeOf(error_type ?? fields.__type ?? fields.code)
    return { ok: false, answer: answerText(`${status} ${type} ${fields.message ?? fields.Message ?? ''}`) }
  }
  if (fields.SendingEnabled === false || fields.EnforcementStatus === 'SHUTDOWN') {
    return { ok: false, answer: 'Amazon SES has stopped sending for this account' }
  }
  const quota = quotaOf(body)
  if (quota === null) return { ok: false, answer: 'the answer is not that of Amazon SES' }
  const day = quota.per_day === UNLIMITED ? 'any number of' : quota.per_day
  const answer = `Amazon SES allows ${day} mails a day and ${quota.rate_per_second} a second, ${quota.sent_last_day} were sent in the last 24 hours`
  if (fields.ProductionAccessEnabled === false) {
    return {
      ok: true,
      answer,
      warning: `in the sandbox: only verified addresses get mail. Request production access. ${answer}`,
    }
  }
  if (fields.EnforcementStatus === 'PROBATION') {
    return { ok: true, answer, warning: `under review at Amazon for bounces or complaints. ${answer}` }
  }
  return { ok: true, answer }
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

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
  'NotAuthorized',
  'OptInRequired',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
  'ExpiredTokenException',
])
const TOO_FAST = new Set(['TooManyRequestsException', 'Throttling', 'ThrottlingException', 'RequestThrottled'])

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
    return { kind: 'later', answer, throttled: true, delay_seconds: QUOTA_DELAY }
  }
  if (TOO_FAST.has(type) || status === 429) return { kind: 'later', answer, throttled: true }
  if (status === 503) return { kind: 'later', answer }
  // A sender that is not verified, or an account still in the sandbox.
  if (type === 'MessageRejected' && /not verified/i.test(message)) return { kind: 'stop', answer }
  if (type === 'MessageRejected') return { kind: 'never', answer, dead: false, policy: true }
  if (status === 401 || status === 403 || status === 404) return { kind: 'stop', answer }
  const broken_off = status === 408 || type === 'RequestAbortedException' || type === 'RequestTimeoutException'
  if (status >= 400 && status < 500 && !broken_off) return { kind: 'never', answer, dead: false }
  // 500, 502, 504, a request that broke off and whatever else: the mail may be on its way.
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
