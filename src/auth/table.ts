import { sql } from 'drizzle-orm'
import { check, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { identity, instant, now } from '../db/columns.ts'
import type { Scope } from './scopes.ts'

/** API keys: only the SHA-256 of a key is stored; `prefix` is what a person recognises it by. */
export const api_keys = pgTable(
  'api_keys',
  {
    id: identity(),
    name: text().notNull(),
    prefix: text().notNull(),
    hash: text().notNull(),
    scopes: text().array().$type<Scope[]>().notNull(),
    created_at: instant().notNull().default(now),
    last_used_at: instant(),
    revoked_at: instant(),
  },
  (t) => [
    uniqueIndex('api_keys_hash').on(t.hash),
    check(
      'api_keys_scopes',
      sql`${t.scopes} <@ array['read', 'write', 'send', 'admin'] and cardinality(${t.scopes}) > 0`,
    ),
  ],
)
