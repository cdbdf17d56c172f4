import type { Redis } from '../redis/client.ts'
import type { RedisKeys } from '../redis/keys.ts'
import type { SigningKeys } from '../tokens/keys.ts'
import type { Gathering } from './buffer.ts'
import type { TrackingEvent } from './event.ts'

/** What the edge works with; made once per isolate in workers/tracking.ts. */
export interface TrackingServices {
  signing_keys: SigningKeys
  /** Where emk-api answers, without a slash at the end; empty where it is not known. */
  public_url: string
  redis: Redis
  redis_keys: RedisKeys
  /** The queue that takes over while Redis cannot be written. */
  events: {
    send(event: TrackingEvent): Promise<unknown>
    sendBatch(messages: { body: TrackingEvent }[]): Promise<unknown>
  }
  /** Opens and clicks of this isolate that will be written together. */
  gathering: { current?: Gathering | undefined }
  now: () => Date
  /** A fresh id for each visit. */
  eventId: () => string
}

/** The part of a Worker's execution context that tracking uses. */
export interface Deferral {
  waitUntil(work: Promise<unknown>): void
}
