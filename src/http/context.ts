import type { Caller } from '../auth/caller.ts'
import type { KnownKeys } from '../auth/known.ts'
import type { Database } from '../db/client.ts'

/** What the frame puts into Hono's context; routes read `request_id` and `caller` and pass on values, never the context. */
export interface AppEnv {
  Variables: {
    request_id: string
    caller: Caller
    known_keys: KnownKeys
    db: Database
    /** The JSON text of the body, once it was read. */
    body?: string
  }
}
