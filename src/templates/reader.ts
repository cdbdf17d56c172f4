import { eq } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { invalidField } from '../http/problem.ts'
import { mailing_lists } from '../lists/table.ts'
import type { TemplatePerson } from '../render/data.ts'
import { subscribers } from '../subscribers/table.ts'
import { SAMPLE_MAILING, SAMPLE_PERSON } from './sample.ts'

/** Whom a mail is previewed for, and as what list's. */
export interface Reader {
  person: TemplatePerson & { subscriber_id: number }
  list: { id: number; name: string }
}

/** @throws {Problem} validation_failed for a subscriber or list that there is not */
export async function findReader(
  db: Database,
  { subscriber_id, list_id }: { subscriber_id?: number | undefined; list_id?: number | undefined },
): Promise<Reader> {
  const { id, email, first_name, last_name, attributes, timezone, locale } = subscribers
  const [people, lists] = await Promise.all([
    subscriber_id === undefined
      ? [SAMPLE_PERSON]
      : db
          .select({ subscriber_id: id, email, first_name, last_name, attributes, timezone, locale })
          .from(subscribers)
          .where(eq(id, subscriber_id)),
    list_id === undefined
      ? [SAMPLE_MAILING.list]
      : db
          .select({ id: mailing_lists.id, name: mailing_lists.name })
          .from(mailing_lists)
          .where(eq(mailing_lists.id, list_id)),
  ])
  const [person] = people
  const [list] = lists
  if (!person) throw invalidField('subscriber_id', `names nobody: there is no subscriber ${subscriber_id}`)
  if (!list) throw invalidField('list_id', `names no mailing list: there is no list ${list_id}`)
  return { person, list }
}
