// Another session at the database, whose open transaction holds locks while a test decides what comes to wait for them.
import pg from 'pg'
import type { TestDatabase } from '../../support/database.ts'

/** `waiting` resolves once so many statements wait for a lock; `end` commits. */
export async function openSession(t: Pick<TestDatabase, 'url' | 'sql'>) {
  const client = new pg.Client({ connectionString: t.url })
  await client.connect()
  await client.query('begin')
  return {
    query: (text: string, params: unknown[]) => client.query(text, params),
    async waiting(n: number) {
      for (;;) {
        const [row] = await t.sql<{ n: number }>(
          `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
        if ((row?.n ?? 0) >= n) return
      }
    },
    async end() {
      await client.query('commit')
      await client.end()
    },
  }
}
