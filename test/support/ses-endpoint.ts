// Amazon SES v2, SendEmail with Raw content and GetAccount: the signature is computed again from the secret and compared,
// and the recipient's local part (up to a "+") chooses a failure.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { simpleParser } from 'mailparser'
import { type Endpoint, Journal, startEndpoint } from './http-endpoint.ts'

export const SES_KEY = 'AKIDEXAMPLE'
export const SES_SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'

/** Status, error type and message of each failure, as AWS documents them. */
const FAILURES: Record<string, [number, string, string]> = {
  throttle: [429, 'TooManyRequestsException', 'Maximum sending rate exceeded.'],
  daily: [429, 'TooManyRequestsException', 'Daily message quota exceeded.'],
  quota: [400, 'LimitExceededException', 'Quota exceeded.'],
  paused: [400, 'SendingPausedException', 'Sending is paused for this account.'],
  suspended: [400, 'AccountSuspendedException', 'The account is suspended.'],
  mailfrom: [400, 'MailFromDomainNotVerifiedException', 'The MAIL FROM domain is not verified.'],
  noset: [404, 'NotFoundException', 'Configuration set does not exist.'],
  unverified: [400, 'MessageRejected', 'Email address is not verified. The following identities failed the check: X'],
  rejected: [400, 'MessageRejected', 'The message contains a virus.'],
  bad: [400, 'BadRequestException', 'Missing final @domain for RECIPIENT.'],
  fail500: [500, 'InternalFailure', 'The request failed.'],
  fail502: [502, 'BadGateway', ''],
  fail503: [503, 'ServiceUnavailable', 'Slow down.'],
  fail504: [504, 'GatewayTimeout', ''],
}

/** Answers of GetAccount, by the folder in front of the path: status and body. */
const ACCOUNTS: Record<string, [number, string]> = {
  '': [200, account(14, 50_000, 1_234)],
  '/unlimited': [200, account(500, -1, 2_000_000)],
  '/sandbox': [200, account(1, 200, 0, { ProductionAccessEnabled: false })],
  '/probation': [200, account(14, 50_000, 0, { EnforcementStatus: 'PROBATION' })],
  '/stopped': [200, account(14, 50_000, 0, { SendingEnabled: false })],
  '/none': [200, '{}'],
  '/odd': [200, '{"SendQuota":{"MaxSendRate":"14","Max24HourSend":1,"SentLast24Hours":0}}'],
  '/zero': [200, account(0, 200, 0)],
  '/html': [200, '<html>'],
  '/denied': [403, '{"__type":"AccessDeniedException","Message":"not authorized to perform: ses:GetAccount"}'],
  '/down': [500, ''],
}

function account(MaxSendRate: number, Max24HourSend: number, SentLast24Hours: number, state: object = {}): string {
  return JSON.stringify({
    SendQuota: { Max24HourSend, MaxSendRate, SentLast24Hours },
    SendingEnabled: true,
    ProductionAccessEnabled: true,
    EnforcementStatus: 'HEALTHY',
    ...state,
  })
}

export interface SesRequest {
  to: string
  configuration_set: string | null
  tags: { Name: string; Value: string }[]
  subject: string
  x_emk: string
  at_once: number
}

export async function startSesEndpoint(): Promise<Endpoint> {
  const journal = new Journal<SesRequest>()
  let running = 0
  return await startEndpoint(async (request, body, response) => {
    const answer = (status: number, value: unknown, type?: string) => {
      // AWS ends the type with a colon and a URL.
      if (type) response.setHeader('x-amzn-ErrorType', `${type}:http://internal.amazon.com/coral/${type}/`)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    }
    const mark = request.url?.startsWith('/requests/') ? request.url.slice('/requests/'.length) : null
    if (mark !== null) return answer(200, journal.of(mark))
    if (!signatureIsRight(request, body)) {
      const message = 'The request signature we calculated does not match the signature you provided.'
      return answer(403, { message }, 'SignatureDoesNotMatch')
    }
    if (isStale(request)) {
      return answer(403, { message: 'Signature expired: it is now earlier than allowed' }, 'InvalidSignatureException')
    }
    const [, folder] = /^(.*)\/v2\/email\/account$/.exec(request.url ?? '') ?? []
    if (request.method === 'GET' && folder !== undefined) {
      if (folder === '/hang') return
      const [status, text] = ACCOUNTS[folder] ?? [404, '']
      return void response.writeHead(status, { 'content-type': 'application/json' }).end(text)
    }
    const [, name] = /^(?:\/[a-z]+)?\/v2\/email\/identities\/([^/]+)$/.exec(request.url ?? '') ?? []
    if (request.method === 'GET' && name !== undefined) {
      if (name === 'denied.example') return answer(403, { message: 'not authorized' }, 'AccessDeniedException')
      if (name !== 'sender.example') return answer(404, { message: 'no such identity' }, 'NotFoundException')
      return answer(200, {
        VerifiedForSendingStatus: true,
        DkimAttributes: { SigningEnabled: true, SigningAttributesOrigin: 'AWS_SES', Tokens: ['token1'] },
        MailFromAttributes: { MailFromDomain: 'ses.sender.example' },
      })
    }
    if (request.method !== 'POST' || request.url !== '/v2/email/outbound-emails')
      return answer(404, { message: 'path' })
    running++
    const sent = JSON.parse(body)
    const to: string = sent.Destination.ToAddresses[0]
    const mail = await simpleParser(Buffer.from(sent.Content.Raw.Data, 'base64'))
    journal.add(to.slice(to.indexOf('+') + 1, to.indexOf('@')), {
      to,
      configuration_set: sent.ConfigurationSetName ?? null,
      tags: sent.EmailTags,
      subject: mail.subject ?? '',
      x_emk: String(mail.headers.get('x-emk')),
      at_once: running,
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    running--
    const fault = to.split(/[+@]/)[0] ?? ''
    if (fault === 'drop') return void request.socket.destroy()
    if (fault === 'hang') return
    const failure = FAILURES[fault]
    if (!failure) return answer(200, { MessageId: `ses-${sent.EmailTags[1]?.Value}` })
    const [status, type, message] = failure
    answer(status, { message: message.replace('RECIPIENT', to) }, type)
  })
}

/** AWS Signature Version 4, from its specification; the only path here needs no escaping. */
export function signatureIsRight(request: IncomingMessage, body: string): boolean {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    )
  if (!match) return false
  const [, key = '', day = '', region = '', service = '', signed = '', signature = ''] = match
  const moment = String(request.headers['x-amz-date'])
  if (key !== SES_KEY || service !== 'ses' || !moment.startsWith(day)) return false
  const names = signed.split(';')
  if (!names.includes('host') || !names.includes('x-amz-date')) return false
  const headers = names.map((name) => `${name}:${String(request.headers[name]).trim().replace(/ +/g, ' ')}\n`).join('')
  const hash = (text: string) => createHash('sha256').update(text).digest('hex')
  const canonical = [request.method, request.url, '', headers, signed, hash(body)].join('\n')
  const to_sign = ['AWS4-HMAC-SHA256', moment, `${day}/${region}/${service}/aws4_request`, hash(canonical)].join('\n')
  const hmac = (secret: string | Buffer, text: string) => createHmac('sha256', secret).update(text).digest()
  const signing_key = hmac(hmac(hmac(hmac(`AWS4${SES_SECRET}`, day), region), service), 'aws4_request')
  return timingSafeEqual(hmac(signing_key, to_sign), Buffer.from(signature, 'hex'))
}

/** AWS takes a signature for 15 minutes. */
function isStale(request: IncomingMessage): boolean {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(request.headers['x-amz-date']))
  if (!parts) return true
  const [year = 0, month = 0, ...rest] = parts.slice(1).map(Number)
  return Math.abs(Date.now() - Date.UTC(year, month - 1, ...rest)) > 15 * 60_000
}
