import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { type FieldError, Problem } from '../http/problem.ts'
import type { Services } from '../http/services.ts'
import type { TemplatePerson } from '../render/data.ts'
import { DeadLinkError, RenderError } from '../render/errors.ts'
import { renderForRecipient } from '../render/recipient.ts'
import { prepareContent } from '../render/render.ts'
import { isPersonal } from '../render/splice.ts'
import { accountFault } from '../senders/account.ts'
import type { CompiledTemplate, TemplateLink, TemplateWarning } from '../templates/compiled.ts'
import { namesIn } from '../templates/variables.ts'
import { isTrackable } from '../tokens/link.ts'
import type { Audience } from './audience.ts'
import { missingFrom } from './compliance.ts'
import { OVERDUE } from './schedule.ts'
import { type Snapshot, takeSnapshot } from './snapshot.ts'
import type { CampaignStatus } from './status.ts'
import { missingReferences } from './store.ts'
import { unknownVariables } from './unknown-variables.ts'
import { type Utm, withUtm } from './utm.ts'
import { underWatch } from './wake.ts'

/** Real recipients a campaign is rendered for before it may start, besides one about whom nothing is known. */
const SAMPLES = 5

type Starting = Pick<
  Services,
  | 'db'
  | 'redis'
  | 'redis_keys'
  | 'signing_keys'
  | 'link_hosts'
  | 'tracking_url'
  | 'public_url'
  | 'dispatch'
  | 'sender'
  | 'now'
>

/**
 * Starts a campaign: takes its snapshot, renders it for real recipients and checks what they would get, then moves it to
 * `sending` in one conditional UPDATE that also fixes who can be in the audience.
 *
 * @param due - true for cron: only a campaign that is scheduled and due may start
 * @returns warnings about variables that will be empty for all; none for cron, which has nobody to tell
 * @throws {Problem} wrong_status, campaign_not_ready (nothing has changed then)
 */
export async function startCampaign(s: Starting, id: number, due = false): Promise<TemplateWarning[]> {
  const plan = await readPlan(s.db, id)
  const startable = plan && (due ? plan.status === 'scheduled' : plan.status === 'draft' || plan.status === 'scheduled')
  if (!plan || !startable) {
    throw new Problem(
      'wrong_status',
      `Campaign ${id} is ${plan?.status ?? 'gone'}; only a draft or scheduled one can start.`,
    )
  }
  const snapshot = await snapshotOf(s, plan)
  const variables = [...plan.compiled.variables, ...namesIn(plan.subject), ...namesIn(plan.preheader ?? '')]
  const [errors, warnings] = await Promise.all([
    faults(s, plan, snapshot),
    due ? [] : unknownVariables(s.db, plan.audience, variables),
  ])
  if (errors.length > 0) throw notReady(errors)
  if (!(await underWatch(s, id, 0, () => moveToSending(s.db, plan, snapshot, plan.compiled.links, due)))) {
    throw new Problem('wrong_status', `Campaign ${id} was changed or started meanwhile. Read it again.`)
  }
  await s.dispatch.send({ campaign_id: id, enqueued: 0 })
  return warnings
}

/**
 * What a campaign would send if it started now.
 *
 * @throws {Problem} campaign_not_ready when a link cannot be tracked
 */
export async function snapshotOf(
  s: Pick<Services, 'tracking_url' | 'public_url' | 'signing_keys'>,
  plan: Plan,
): Promise<Snapshot> {
  const long = plan.compiled.links.filter((link) => !isPersonal(link) && !isTrackable(withUtm(link.url, plan.utm)))
  if (long.length > 0) throw notReady(long.map(tooLong))
  return takeSnapshot(
    {
      template_id: plan.template_id,
      template_version: plan.template_version,
      subject: plan.subject,
      preheader: plan.preheader ?? '',
      sender: plan.sender,
      tracking_url: plan.sender.tracking_url ?? s.tracking_url,
      public_url: s.public_url,
      utm: plan.utm,
      list: plan.list ?? { id: 0, name: '' },
      campaign: { id: plan.id, name: plan.name },
    },
    plan.compiled,
    s.signing_keys,
  )
}

const notReady = (errors: FieldError[]) =>
  new Problem('campaign_not_ready', errors.map(({ detail }) => detail).join('; '), { errors })

const tooLong = ({ n }: TemplateLink): FieldError => ({
  field: 'utm',
  detail: `with these parameters the template's link ${n} is too long to be tracked`,
})

/** A campaign as it stands, with all that its start needs. */
export interface Plan {
  id: number
  name: string
  status: CampaignStatus
  version: string
  subject: string
  preheader: string | null
  audience: Audience
  utm: Utm | null
  template_id: number
  template_version: number
  template_deleted: boolean
  /** The campaign's own; `sender.account` is the one that holds. */
  account: string | null
  compiled: CompiledTemplate
  sender: Snapshot['sender'] & { tracking_url: string | null }
  list: { id: number; name: string } | null
}

export async function readPlan(db: Database, id: number): Promise<Plan | undefined> {
  const { rows } = await db.execute<Plan & Record<string, unknown>>(sql`
    select c.id::float8 as id, c.name, c.status, c.updated_at::text as version, c.subject, c.preheader, c.audience, c.utm,
      c.account, t.id::float8 as template_id, v.version::int as template_version, t.deleted_at is not null as template_deleted, v.compiled,
      jsonb_build_object('from_name', s.from_name, 'from_email', s.from_email, 'reply_to', s.reply_to,
        'postal_address', s.postal_address, 'account', coalesce(c.account, s.account), 'tracking_url', s.tracking_url) as sender,
      (select jsonb_build_object('id', l.id, 'name', l.name) from mailing_lists l
        where l.id = (c.audience -> 'include' ->> 0)::bigint) as list
    from campaigns c
    join senders s on s.id = c.sender_id
    join templates t on t.id = c.template_id
    join template_versions v
      on v.template_id = t.id and v.version = coalesce(c.pinned_version, c.template_version, t.version)
    where c.id = ${id}`)
  return rows[0]
}

/** Everything that keeps a campaign from starting, with the field to mend. */
async function faults(s: Starting, plan: Plan, snapshot: Snapshot): Promise<FieldError[]> {
  if (plan.template_deleted) return [{ field: 'template_id', detail: 'the template was deleted' }]
  // A list that is gone takes its exclusions along: better no campaign than one to people who were left out.
  const missing = await missingReferences(s.db, { audience: plan.audience })
  if (missing.length > 0) return missing
  const fault = await accountFault(s.sender, plan.sender.account, plan.sender.from_email)
  if (fault) return [plan.account === null ? ofSender(fault) : { field: 'account', detail: fault }]
  const samples = await sampleRecipients(s.db, plan.audience)
  if (samples.length === 0) {
    return [{ field: 'audience', detail: 'the audience is empty: no active subscriber is on the lists it includes' }]
  }
  const found = new Map<string, FieldError>()
  for (const error of await faultsFor(s, snapshot, [...samples, STRANGER])) found.set(error.detail, error)
  return [...found.values()]
}

const ofSender = (fault: string): FieldError => ({ field: 'sender_id', detail: `the sender ${fault}` })

interface Sample extends TemplatePerson {
  subscriber_id: number
}

/** Somebody about whom only the address is known: what a template's empty variables look like. */
const STRANGER: Sample = {
  subscriber_id: Number.MAX_SAFE_INTEGER,
  email: 'reader@example.com',
  first_name: null,
  last_name: null,
  attributes: {},
  timezone: null,
  locale: null,
}

async function faultsFor(s: Starting, snapshot: Snapshot, people: readonly Sample[]): Promise<FieldError[]> {
  const found: FieldError[] = []
  const campaign = { snapshot, renderer: prepareContent(snapshot) }
  for (const person of people) {
    try {
      const mail = await renderForRecipient(campaign, person, s, true)
      if (mail.subject) found.push(...missingFrom(mail, snapshot.sender.postal_address, mail.unsubscribe_url))
      else found.push({ field: 'subject', detail: `the subject is empty for ${who(person)}` })
    } catch (error) {
      if (!(error instanceof RenderError)) throw error
      // Links that only some have the data for are for those to follow; whom else is mailed is looked at one by one.
      if (error instanceof DeadLinkError && person === STRANGER) continue
      found.push({ field: 'template_id', detail: `it cannot be rendered for ${who(person)}: ${error.message}` })
    }
  }
  return found
}

const who = (person: Sample) =>
  person === STRANGER ? 'a subscriber without name and attributes' : `subscriber ${person.subscriber_id}`

async function sampleRecipients(db: Database, audience: Audience): Promise<Sample[]> {
  const { rows } = await db.execute<Sample & Record<string, unknown>>(sql`
    select s.id::float8 as subscriber_id, s.email, s.first_name, s.last_name, s.attributes, s.timezone, s.locale
    from subscribers s
    where s.status = 'active' and s.attributes @> ${JSON.stringify(audience.where)}::jsonb
      and exists (select 1 from list_members m where m.subscriber_id = s.id and m.status = 'subscribed'
        and m.list_id = any(${sql.param(audience.include)}::bigint[]))
      and not exists (select 1 from list_members m where m.subscriber_id = s.id
        and m.list_id = any(${sql.param(audience.exclude)}::bigint[]))
    order by s.id limit ${SAMPLES}`)
  return rows
}

/**
 * The one change of state: tests the status, that nothing was edited since the plan was read, and that no list of the
 * audience is gone. Their lock makes a deletion wait until it can see that the campaign is on its way (lists/delete.ts).
 */
async function moveToSending(
  db: Database,
  plan: Plan,
  snapshot: Snapshot,
  links: readonly TemplateLink[],
  due: boolean,
): Promise<boolean> {
  const from = due
    ? sql`status = 'scheduled' and scheduled_at <= now() and not ${OVERDUE}`
    : sql`status in ('draft', 'scheduled')`
  const list_ids = [...new Set([...plan.audience.include, ...plan.audience.exclude])]
  const { rows } = await db.execute(sql`
    with lists as materialized (
      select id from mailing_lists where id = any(${sql.param(list_ids)}::bigint[]) order by id for key share
    ), moved as (
      update campaigns set
        status = 'sending', status_reason = null, pinned_version = ${plan.template_version}, snapshot = ${JSON.stringify(snapshot)}::jsonb,
        audience_max_id = coalesce((select max(id) from subscribers), 0), started_at = now(), updated_at = now()
      where id = ${plan.id} and ${from} and updated_at::text = ${plan.version}
        and (select count(*) from lists) = ${list_ids.length}
      returning id
    ), new_links as (
      insert into campaign_links (campaign_id, n, url, text)
      select moved.id, l.n, l.url, l.text from moved, jsonb_to_recordset(${JSON.stringify(links)}::jsonb) as l (n int, url text, text text)
    )
    select id from moved`)
  return rows.length > 0
}
