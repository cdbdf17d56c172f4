import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import type { Services } from '../http/services.ts'
import { writeSubscribers } from '../subscribers/write.ts'

/** A confirmed sign-up is kept for so many days; the consents are its proof. */
const KEPT_DAYS = 30

/** A sign-up as its confirmation page shows it. */
export interface OpenSignup {
  email: string
  locale: string | null
  wording: string
  confirmed: boolean
  /** Those of its lists that are still there. */
  lists: { id: number; name: string }[]
}

const listsOf = sql`
  coalesce((select jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name) order by w.n)
    from unnest(g.list_ids) with ordinality as w (id, n) join mailing_lists l on l.id = w.id), '[]') as lists`

/** @returns undefined for one that is forgotten, or that nobody was asked to confirm */
export async function findSignup(db: Database, id: number): Promise<OpenSignup | undefined> {
  const { rows } = await db.execute<OpenSignup & Record<string, unknown>>(sql`
    select g.email, g.locale, g.wording, g.status = 'confirmed' as confirmed, ${listsOf}
    from signups g where g.id = ${id} and (g.status in ('mailed', 'confirmed') or (g.status = 'received' and g.mails > 0))`)
  return rows[0]
}

export interface Confirmation {
  /**
   * `confirmed_before`: what they did since then stays as it is. `lists_deleted`: none of its lists is there any more.
   * `unknown`: it is forgotten, or nobody was asked to confirm it.
   */
  outcome: 'confirmed' | 'confirmed_before' | 'lists_deleted' | 'unknown'
  /** Subscribed to. */
  lists: { id: number; name: string }[]
  locale: string | null
}

/**
 * Subscribes whoever signed up: this is their consent, and it brings back who had left, bounced or was deleted, to these
 * lists and no other. Its moment is written down first, so that whatever is repeated (a lost answer, two presses at once) is the same consent, and an
 * opt-out after it stays.
 *
 * What they filled in replaces what is stored, unless a later sign-up of theirs was confirmed already. Their language does
 * not: it may be no more than what their browser is set to.
 *
 * @param country - ISO 3166-1 alpha-2, where they confirm
 * @throws what the database throws; they may press again
 */
export async function confirmSignup(
  { db, hash_key }: Pick<Services, 'db' | 'hash_key'>,
  id: number,
  country: string | null,
): Promise<Confirmation> {
  // A list that goes between the two statements costs another look.
  for (let look = 0; look < 3; look++) {
    const signup = await markConfirming(db, id)
    if (!signup) {
      const known = await findSignup(db, id)
      return { outcome: known?.confirmed ? 'confirmed_before' : 'unknown', lists: [], locale: known?.locale ?? null }
    }
    const { lists, locale } = signup
    if (lists.length === 0) break
    const [answer] = await writeSubscribers(
      db,
      hash_key,
      'upsert',
      [
        {
          email: signup.email,
          ...filledIn(signup),
          list_ids: lists.map((list) => list.id),
          consented_at: signup.confirmed_at,
          consent_source: signup.source,
          consent_wording: signup.wording,
          consent_country: country ?? undefined,
          resubscribe: true,
        },
      ],
      { policy: signup.superseded ? 'fill' : 'overwrite' },
    )
    if (answer?.refusal === 'unknown_list') continue
    // They opted out after they had confirmed and before this was written: the later word counts.
    const left = answer?.refusal === 'consent_too_old'
    if (!left && answer?.refusal) throw new Error(`a confirmed sign-up was refused: ${answer.refusal}`)
    await db.execute(sql`update signups set status = 'confirmed', reason = null where id = ${id}`)
    return left ? { outcome: 'confirmed_before', lists: [], locale } : { outcome: 'confirmed', lists, locale }
  }
  return { outcome: 'lists_deleted', lists: [], locale: null }
}

interface Confirming {
  email: string
  first_name: string | null
  last_name: string | null
  locale: string | null
  wording: string
  source: string
  confirmed_at: string
  superseded: boolean
  /** They are a subscriber with a language. */
  has_locale: boolean
  lists: { id: number; name: string }[]
}

async function markConfirming(db: Database, id: number): Promise<Confirming | undefined> {
  const { rows } = await db.execute<Confirming & Record<string, unknown>>(sql`
    update signups g set confirmed_at = coalesce(confirmed_at, now()),
      expires_at = coalesce(confirmed_at, now()) + make_interval(days => ${KEPT_DAYS})
    where id = ${id} and (status = 'mailed' or (status = 'received' and mails > 0))
    returning g.email, g.first_name, g.last_name, g.locale, g.wording, g.source,
      ${iso(sql`g.confirmed_at`)} as confirmed_at, ${listsOf},
      exists (select from signups o
        where lower(o.email) = lower(g.email) and o.id > g.id and o.confirmed_at is not null) as superseded,
      exists (select from subscribers p where lower(p.email) = lower(g.email) and p.locale is not null) as has_locale`)
  return rows[0]
}

/** A field that was left empty erases nothing. */
const filledIn = ({ first_name, last_name, locale, has_locale }: Confirming) =>
  Object.fromEntries(
    Object.entries({ first_name, last_name, locale: has_locale ? null : locale }).filter(([, value]) => value !== null),
  )
