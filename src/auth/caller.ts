import type { Scope } from './scopes.ts'

/** Who is calling. `api_key_id` is null for the bootstrap secret, which may only make the first admin key. */
export interface Caller {
  api_key_id: number | null
  scopes: readonly Scope[]
}
