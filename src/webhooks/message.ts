/**
 * What travels on `emk-webhooks`: a message's id and how often it has been tried. The database is the record; a pointer that
 * comes twice, or late, finds another number of tries and does nothing.
 */
export interface WebhookPointer {
  message_id: number
  attempts: number
}
