/** Of the form of all bodies; a change that could break a receiver raises it. Fields may be added without. */
export const BODY_VERSION = 1

/** What endpoints may name, and what the migration's triggers write (drizzle/*_webhook_capture.sql). */
export const EVENT_TYPES = [
  'subscriber.created',
  'subscriber.updated',
  'subscriber.subscribed',
  'subscriber.unsubscribed',
  'subscriber.resubscribed',
  'subscriber.bounced',
  'subscriber.complained',
  'subscriber.deleted',
  'campaign.scheduled',
  'campaign.unscheduled',
  'campaign.started',
  'campaign.paused',
  'campaign.resumed',
  'campaign.sent',
  'campaign.cancelled',
  'delivery.sent',
  'delivery.failed',
  'delivery.delivered',
  'delivery.bounced',
  'delivery.complained',
  'delivery.opened',
  'delivery.clicked',
] as const
export type EventType = (typeof EVENT_TYPES)[number]

/** What `POST /webhooks/{id}/test` sends; no endpoint names it. */
export const TEST_EVENT = 'webhook.test'

/** Endpoints of one installation: each is asked for in every transaction that one of its events happens in. */
export const MOST_ENDPOINTS = 20
