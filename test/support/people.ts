// Subscribers and lists as tests of writes make and find them.
import type { TestDatabase } from './database.ts'

/** An address that nobody has. */
export const someone = () => `${crypto.randomUUID()}@example.com`

/** Whom of a test's database, as it is stored. */
export function peopleOf(database: () => TestDatabase) {
  return {
    async person(email: string) {
      const [row] = await database().sql(`select * from subscribers where lower(email) = lower($1)`, [email])
      return row
    },
    /** @returns its id */
    async newList() {
      const [row] = await database().sql<{ id: string }>(`insert into mailing_lists (name) values ($1) returning id`, [
        crypto.randomUUID(),
      ])
      return Number(row?.id)
    },
  }
}

/** A moment of the past, as the wire has it. */
export const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
