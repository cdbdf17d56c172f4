/**
 * What a subscriber is as a whole, from best to worst: only `active` may be mailed (a list membership can still say
 * no), and without a new consent a status only ever moves to the right.
 */
export const SUBSCRIBER_STATUSES = ['active', 'unsubscribed', 'bounced', 'complained'] as const
export type SubscriberStatus = (typeof SUBSCRIBER_STATUSES)[number]
