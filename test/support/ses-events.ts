// Events of Amazon SES as its documentation shows them, about mails of ours.

export interface Told {
  campaign_id: number
  subscriber_id: number
  email: string
}

const AT = '2026-11-20T10:00:00.000Z'
const SES_ID = '0100017c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000'

/** As a configuration set publishes it; `more` holds what the type of event brings. */
export function sesEvent(type: string, told: Told, more: object = {}, mail: object = {}): Record<string, unknown> {
  const { campaign_id, subscriber_id, email } = told
  return {
    eventType: type,
    mail: {
      timestamp: AT,
      source: 'Acme <news@acme.example>',
      sourceArn: 'arn:aws:ses:eu-west-1:123456789012:identity/acme.example',
      sendingAccountId: '123456789012',
      messageId: crypto.randomUUID(),
      destination: [email],
      headersTruncated: false,
      headers: [
        { name: 'From', value: 'Acme <news@acme.example>' },
        { name: 'To', value: email },
        { name: 'X-EMK', value: `${campaign_id}.${subscriber_id}` },
      ],
      commonHeaders: { from: ['Acme <news@acme.example>'], to: [email], messageId: SES_ID, subject: 'News' },
      tags: {
        'ses:configuration-set': ['emk'],
        'ses:source-ip': ['192.0.2.0'],
        'ses:from-domain': ['acme.example'],
        campaign_id: [String(campaign_id)],
        subscriber_id: [String(subscriber_id)],
      },
      ...mail,
    },
    ...more,
  }
}

export function sesBounce(told: Told, bounce: object = {}, recipient: object = {}) {
  return sesEvent('Bounce', told, {
    bounce: {
      feedbackId: crypto.randomUUID(),
      bounceType: 'Permanent',
      bounceSubType: 'General',
      bouncedRecipients: [
        {
          emailAddress: told.email,
          action: 'failed',
          status: '5.1.1',
          diagnosticCode: `smtp; 550 5.1.1 <${told.email}>... user unknown`,
          ...recipient,
        },
      ],
      timestamp: '2026-11-20T10:05:00.123Z',
      remoteMtaIp: '192.0.2.9',
      reportingMTA: 'dsn; a8-70.smtp-out.amazonses.com',
      ...bounce,
    },
  })
}

export const sesComplaint = (told: Told, complaint: object = {}) =>
  sesEvent('Complaint', told, {
    complaint: {
      arrivalDate: '2026-11-20T11:00:00.000Z',
      complainedRecipients: [{ emailAddress: told.email }],
      timestamp: '2026-11-20T11:00:01.000Z',
      feedbackId: crypto.randomUUID(),
      complaintSubType: null,
      userAgent: 'Mailbox Provider Feedback Loop (V0.01)',
      complaintFeedbackType: 'abuse',
      ...complaint,
    },
  })

export const sesDelivery = (told: Told) =>
  sesEvent('Delivery', told, {
    delivery: {
      timestamp: '2026-11-20T10:00:02.000Z',
      processingTimeMillis: 546,
      recipients: [told.email],
      smtpResponse: '250 ok:  Message 64111812 accepted',
      reportingMTA: 'a8-70.smtp-out.amazonses.com',
      remoteMtaIp: '192.0.2.9',
    },
  })

export const sesDelay = (told: Told) =>
  sesEvent('DeliveryDelay', told, {
    deliveryDelay: {
      timestamp: '2026-11-20T10:01:00.000Z',
      delayType: 'TransientCommunicationFailure',
      expirationTime: '2026-11-21T00:00:00.000Z',
      delayedRecipients: [
        {
          emailAddress: told.email,
          status: '4.4.1',
          diagnosticCode: 'smtp; 421 4.4.1 Unable to connect to remote host',
        },
      ],
    },
  })
