/** What a subscriber is as a whole. Only `active` may be mailed; a list membership can still say no. */
export const SUBSCRIBER_STATUSES = ['active', 'unsubscribed', 'bounced', 'complained'] as const
export type SubscriberStatus = (typeof SUBSCRIBER_STATUSES)[number]
