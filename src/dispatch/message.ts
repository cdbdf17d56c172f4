/** On `emk-dispatch`: freeze on and put pointers on `emk-sends`, from batch `enqueued` (exclusive count) onwards. */
export interface DispatchMessage {
  campaign_id: number
  /** How many of the campaign's batches already have a pointer in the queue. */
  enqueued: number
}

/** On `emk-sends`: a pointer to a batch, never its contents. */
export interface BatchPointer {
  campaign_id: number
  batch: number
}

/** What is used of a queue's message. */
export interface Delivered<Body> {
  readonly body: Body
  /** How often the queue has delivered it, this time included. */
  readonly attempts: number
  ack(): void
  retry(options: { delaySeconds: number }): void
}
