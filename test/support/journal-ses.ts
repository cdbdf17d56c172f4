// Amazon SES v2 that keeps a journal, takes its time, and has bad days: each fault is dealt to an address beforehand and
// strikes it once (a refusal always). The signature is checked as the other endpoint does.
import { type Endpoint, startEndpoint } from './http-endpoint.ts'
import type { MailJournal, Pace } from './mail-journal.ts'
import { signatureIsRight } from './ses-endpoint.ts'

/** Each with its share of the recipients. */
export const SES_FAULTS = {
  /** 429. Few: after each the account goes at half its rate, and gets a tenth of that back in a minute. */
  throttled: 0.0006,
  /** 503. */
  unavailable: 0.03,
  /** Taken, and the connection dropped without an answer. */
  answer_lost: 0.002,
  /** The connection dropped, not taken. */
  mail_lost: 0.001,
  /** Taken, and answered with 500. */
  failed_taken: 0.002,
  /** 500, not taken. */
  failed: 0.001,
  /** 400 MessageRejected, always. */
  refused: 0.01,
}
export type SesFault = keyof typeof SES_FAULTS

export function startJournalSes(journal: MailJournal, pace: Pace, faults: Map<string, SesFault>): Promise<Endpoint> {
  return startEndpoint(async (request, body, response) => {
    const answer = (status: number, value: unknown, type?: string) => {
      if (type) response.setHeader('x-amzn-ErrorType', `${type}:http://internal.amazon.com/coral/${type}/`)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    }
    if (request.method === 'GET' && request.url === '/v2/email/account') {
      const SendQuota = { Max24HourSend: 1_000_000, MaxSendRate: 1000, SentLast24Hours: journal.taken }
      return answer(200, {
        SendQuota,
        SendingEnabled: true,
        ProductionAccessEnabled: true,
        EnforcementStatus: 'HEALTHY',
      })
    }
    if (!signatureIsRight(request, body)) return answer(403, { message: 'wrong signature' }, 'SignatureDoesNotMatch')
    if (request.method !== 'POST' || request.url !== '/v2/email/outbound-emails')
      return answer(404, { message: 'path' })
    const sent = JSON.parse(body)
    const to: string = sent.Destination.ToAddresses[0]
    const mail = Buffer.from(sent.Content.Raw.Data, 'base64').toString('latin1')
    const id = /^X-EMK: *(\d+\.\d+)/im.exec(mail)?.[1] ?? ''
    await pace.turn()

    const fault = faults.get(to)
    if (fault !== undefined) journal.strike(fault)
    if (fault !== 'refused') faults.delete(to)
    switch (fault) {
      case 'throttled':
        return answer(429, { message: 'Maximum sending rate exceeded.' }, 'TooManyRequestsException')
      case 'unavailable':
        return answer(503, { message: 'Slow down.' }, 'ServiceUnavailable')
      case 'refused':
        journal.refuse(to)
        return answer(400, { message: 'The message contains a virus.' }, 'MessageRejected')
      case 'answer_lost':
      case 'mail_lost':
        if (fault === 'answer_lost') journal.take(to, id)
        journal.unanswered++
        return void request.socket.resetAndDestroy()
      case 'failed_taken':
      case 'failed':
        if (fault === 'failed_taken') journal.take(to, id)
        journal.unanswered++
        return answer(500, { message: 'The request failed.' }, 'InternalFailure')
    }
    journal.take(to, id)
    answer(200, { MessageId: `ses-${id}` })
  })
}
