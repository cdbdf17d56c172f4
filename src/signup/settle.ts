import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import { chooseWords } from '../pages/words/choose.ts'
import { hashEmail } from '../subscribers/erasure.ts'
import { writeSubscribers } from '../subscribers/write.ts'
import { findNoticeSender, noticeContent } from '../transactional/notice-sender.ts'
import { sendMail } from '../transactional/send-mail.ts'
import { alreadyMail, confirmationMail } from './mails.ts'

export type Settling = Pick<
  Services,
  'db' | 'hash_key' | 'signing_keys' | 'public_url' | 'transactional' | 'recipient_allowlist'
>

/** Mails to one address in 24 hours, whoever fills in the form how often. */
const MOST_MAILS = 3
/** Somebody who has a sign-up in hand is given up after so many seconds. */
export const GIVEN_UP = 60

interface ReceivedSignup {
  id: number
  email: string
  first_name: string | null
  last_name: string | null
  locale: string | null
  wording: string
  source: string
  country: string | null
  created_at: string
  expires_at: string
  /** Those of its lists that are still there. */
  lists: {
    id: number
    name: string
    opt_in: 'single' | 'double'
    joined: boolean
    /** By this sign-up, or by one after it. */
    joined_since: boolean
  }[]
  /** Nobody with this address has left, bounced, complained, been deleted or suppressed. */
  clean: boolean
}

/**
 * Decides on a sign-up that was received. Single opt-in subscribes at once whom nothing speaks against; everybody else is
 * asked by mail to confirm; who is subscribed already is told so, once in 24 hours. Called again, or twice at once, it does
 * nothing more, but for a mail whose sender died before it said so: that goes out once more.
 *
 * @throws what database or queue throw; it stays received, and cron calls again
 */
export async function settleSignup(s: Settling, id: number): Promise<void> {
  const signup = await readReceived(s, id)
  if (!signup) return
  if (signup.lists.length === 0) return close(s.db, id, 'refused', 'list_deleted')
  if (signup.clean && signup.lists.every(({ joined }) => joined)) {
    const done = signup.lists.some(({ joined_since }) => joined_since)
    return done ? close(s.db, id, 'subscribed', null) : tellAlready(s, signup)
  }
  const single = signup.lists.every(({ opt_in }) => opt_in === 'single')
  if (single && signup.clean && (await subscribe(s, signup))) return close(s.db, id, 'subscribed', null)
  await askToConfirm(s, signup)
}

async function readReceived(s: Settling, id: number): Promise<ReceivedSignup | undefined> {
  const { rows: found } = await s.db.execute<{ email: string }>(
    sql`select email from signups where id = ${id} and status = 'received'`,
  )
  const email = found[0]?.email
  if (email === undefined) return undefined
  const hash = await hashEmail(s.hash_key, email)
  const { rows } = await s.db.execute<ReceivedSignup & Record<string, unknown>>(sql`
    select g.id::float8 as id, g.email, g.first_name, g.last_name, g.locale, g.wording, g.source, g.country,
      ${iso(sql`g.created_at`)} as created_at, ${iso(sql`g.expires_at`)} as expires_at,
      coalesce((
        select jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name, 'opt_in', l.opt_in,
          'joined', coalesce(m.status = 'subscribed', false),
          'joined_since', coalesce(m.consented_at >= date_trunc('milliseconds', g.created_at), false)) order by w.n)
        from unnest(g.list_ids) with ordinality as w (id, n)
        join mailing_lists l on l.id = w.id
        left join list_members m on m.list_id = l.id and m.subscriber_id = p.id), '[]') as lists,
      coalesce(p.status = 'active', true)
        and not exists (select from list_members m
          where m.subscriber_id = p.id and m.list_id = any(g.list_ids) and m.status = 'unsubscribed')
        and not exists (select from suppressions x
          where (x.kind, x.value) in (('address', lower(g.email)), ('domain', lower(split_part(g.email, '@', 2))), ('hash', ${hash})))
        as clean
    from signups g left join subscribers p on lower(p.email) = lower(g.email)
    where g.id = ${id} and g.status = 'received'`)
  return rows[0]
}

/**
 * What nobody confirmed never overwrites what is stored.
 *
 * @returns false when somebody left, or was deleted, since it was read: then it takes a confirmation
 */
async function subscribe({ db, hash_key }: Settling, signup: ReceivedSignup): Promise<boolean> {
  const { email, first_name, last_name, locale, lists, created_at, source, wording, country } = signup
  const [answer] = await writeSubscribers(
    db,
    hash_key,
    'upsert',
    [
      {
        email,
        first_name,
        last_name,
        locale,
        list_ids: lists.map((list) => list.id),
        consented_at: created_at,
        consent_source: source,
        consent_wording: wording,
        consent_country: country ?? undefined,
      },
    ],
    { policy: 'fill' },
  )
  return answer !== undefined && answer.refusal === null && answer.kept === null && answer.kept_lists.length === 0
}

async function tellAlready(s: Settling, signup: ReceivedSignup): Promise<void> {
  const sender = await findNoticeSender(s.db, idsOf(signup))
  if (!sender) return close(s.db, signup.id, 'subscribed', 'already_subscribed')
  const untold = sql`not exists (select from signups o where lower(o.email) = lower(${signup.email})
    and o.id <> ${signup.id} and o.reason = 'already_subscribed' and o.mailed_at > now() - interval '24 hours')`
  if (!(await claimMail(s.db, signup, untold, 'subscribed', 'already_subscribed'))) return
  const content = noticeContent(sender, alreadyMail(signup.lists, chooseWords(signup.locale)))
  await sendMail(s, { purpose: 'confirmation', email: signup.email, content })
  await close(s.db, signup.id, 'subscribed', 'already_subscribed')
}

async function askToConfirm(s: Settling, signup: ReceivedSignup): Promise<void> {
  const sender = await findNoticeSender(s.db, idsOf(signup))
  if (!sender) {
    log('signup_without_sender', { signup_id: signup.id })
    return close(s.db, signup.id, 'refused', 'no_sender')
  }
  if (!(await claimMail(s.db, signup, sql`true`, 'refused', 'mail_limit'))) return
  const content = noticeContent(sender, await confirmationMail(s, signup, chooseWords(signup.locale)))
  const { reason } = await sendMail(s, { purpose: 'confirmation', email: signup.email, content })
  await close(s.db, signup.id, reason === null ? 'mailed' : 'refused', reason)
}

const idsOf = ({ lists }: ReceivedSignup) => lists.map(({ id }) => id)

/**
 * Takes a mail from what the address may get in 24 hours. Sign-ups of one address do so one after the other.
 *
 * @param allowed - what else must hold
 * @param otherwise - the status of the sign-up when no more mail may go, with its reason
 * @returns false when none may, or when somebody else has it in hand
 */
async function claimMail(
  db: Database,
  { id, email }: ReceivedSignup,
  allowed: SQL,
  otherwise: 'refused' | 'subscribed',
  reason: 'mail_limit' | 'already_subscribed',
): Promise<boolean> {
  const [, claimed] = await db.batch([
    db.execute(sql`select pg_advisory_xact_lock(hashtextextended('signup ' || lower(${email}), 0))`),
    db.execute<{ status: string }>(sql`
      update signups g set
        status = case when c.may then 'received' else ${otherwise} end,
        reason = case when not c.may or ${reason === 'already_subscribed'} then ${reason} end,
        mails = g.mails + c.may::int, mailed_at = case when c.may then now() else g.mailed_at end
      from (select ${allowed} and (
        select coalesce(sum(o.mails), 0) from signups o
        where lower(o.email) = lower(${email}) and o.mailed_at > now() - interval '24 hours') < ${MOST_MAILS} as may) c
      where g.id = ${id} and g.status = 'received'
        and (g.mailed_at is null or g.mailed_at < now() - make_interval(secs => ${GIVEN_UP}))
      returning g.status`),
  ])
  return claimed.rows[0]?.status === 'received'
}

/** Who signed up meanwhile confirmed already: that stays. */
async function close(
  db: Database,
  id: number,
  status: 'mailed' | 'subscribed' | 'refused',
  reason: string | null,
): Promise<void> {
  await db.execute(
    sql`update signups set status = ${status}, reason = ${reason} where id = ${id} and status = 'received'`,
  )
}
