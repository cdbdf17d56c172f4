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
