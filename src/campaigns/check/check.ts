import type { Services } from '../../http/services.ts'
import { plainLinks } from '../../render/splice.ts'
import { listAccounts } from '../../senders/account.ts'
import type { AccountState } from '../../sending/permit.ts'
import { readSettings } from '../../settings/store.ts'
import { namesIn, neededIn } from '../../templates/variables.ts'
import { type Plan, snapshotOf } from '../plan.ts'
import type { Snapshot } from '../snapshot.ts'
import { missingReferences } from '../store.ts'
import { type AudienceNumbers, allowlistFindings, countAudience } from './audience.ts'
import { authenticationFindings } from './authentication.ts'
import type { Finding } from './finding.ts'
import { imageFindings } from './images.ts'
import { linkFindings, overlongLinks, untrackedFindings } from './links.ts'
import { readPage } from './page.ts'
import { somePeople } from './people.ts'
import { type Rendered, renderForSome } from './rendered.ts'
import { accountErrors, senderFindings } from './sender.ts'
import { sizeFindings } from './size.ts'
import { readSpread, type Spread } from './spread.ts'
import { subjectFindings } from './subject.ts'
import { textPartFindings } from './text-part.ts'
import { asFinding, emptyFor, missingFor, pathsOf, type ReadVariable, sortOut } from './variables.ts'

export type Checking = Pick<
  Services,
  | 'db'
  | 'signing_keys'
  | 'link_hosts'
  | 'mail_domain'
  | 'tracking_url'
  | 'public_url'
  | 'recipient_allowlist'
  | 'sending'
  | 'sender'
  | 'now'
> & { checkDomain?: Services['checkDomain'] }

/** What a check says of a campaign. */
export interface Checked {
  /** What keeps it from starting. */
  errors: Finding[]
  warnings: Finding[]
  /** What it would send; null when there is none. */
  snapshot: Snapshot | null
  size: Rendered['size']
  /** null when it could not be counted: a list is gone. */
  audience: AudienceNumbers | null
  /** null when the sending Worker does not answer. */
  accounts: AccountState[] | null
}

/** Looks for what keeps a campaign from starting, and only for that. Changes nothing. */
export async function checkBeforeStart(s: Checking, plan: Plan): Promise<Omit<Checked, 'audience'> & Basis> {
  const [references, accounts, spread] = await Promise.all([
    missingReferences(s.db, { audience: plan.audience }),
    listAccounts(s.sender),
    readSpread(s.db, plan.audience),
  ])
  const errors: Finding[] = []
  if (plan.template_deleted) {
    errors.push({ code: 'template_deleted', field: 'template_id', detail: 'the template was deleted' })
  }
  // A list or segment that is gone takes its exclusions along: better no campaign than one to people who were left out.
  errors.push(...references.map((reference) => ({ code: codeOf(reference.field), ...reference })))
  errors.push(...accountErrors(accounts, plan), ...overlongLinks(plan))
  const people = references.length > 0 ? [] : await somePeople(s.db, plan.audience, spread)
  if (people.length === 0 && references.length === 0) {
    const detail = 'the audience is empty: no active subscriber is on the lists, and in the segments, that it includes'
    errors.push({ code: 'audience_empty', field: 'audience', detail })
  }
  const snapshot = overlongLinks(plan).length > 0 ? null : await snapshotOf(s, plan)
  const rendered = snapshot && (await renderForSome(s, snapshot, people))
  return {
    errors: [...errors, ...(rendered?.errors ?? [])],
    warnings: rendered?.warnings ?? [],
    snapshot,
    size: rendered?.size ?? null,
    accounts,
    rendered,
    spread: references.length > 0 ? null : spread,
  }
}

const codeOf = (field: string) => (/_segments\.\d+$/.test(field) ? 'segment_missing' : 'list_missing')

interface Basis {
  rendered: Rendered | null
  /** null when a list is gone. */
  spread: Spread | null
}

/** The same with all that its owner should know before. Changes nothing. */
export async function checkCampaign(s: Checking, plan: Plan): Promise<Checked> {
  const { rendered, spread, ...before } = await checkBeforeStart(s, plan)
  const { unknown, optional } = sortOut(variablesOf(plan))
  const [audience, authentication, settings] = await Promise.all([
    spread &&
      countAudience(s.db, plan.audience, spread, { paths: pathsOf(optional), allowlist: s.recipient_allowlist }),
    authenticationFindings(s.checkDomain, plan.sender.from_email),
    readSettings(s.db),
  ])
  const notes = audience ? [...emptyFor(audience, optional), ...missingFor(audience, optional, neededBy(plan))] : []
  const warnings = [
    ...before.warnings,
    ...senderFindings(before.accounts, plan),
    ...authentication,
    ...(rendered ? contentFindings(rendered, plan, before.snapshot) : []),
    ...untrackedFindings(plan),
    ...plan.compiled.warnings.filter(({ code }) => code !== 'clipped').map(ofTemplate),
    ...[...unknown, ...notes].map(asFinding),
    ...(audience ? allowlistFindings(audience) : []),
    ...stoppedFindings(s.sending, settings.sending),
  ]
  return { ...before, warnings, audience }
}

function contentFindings({ mail, subjects, size }: Rendered, plan: Plan, snapshot: Snapshot | null): Finding[] {
  if (!mail || !size || !snapshot) return []
  const page = readPage(mail.html)
  return [
    ...subjectFindings(subjects),
    ...sizeFindings(size.html_bytes),
    ...imageFindings(page),
    ...textPartFindings(page, mail.text),
    ...linkFindings(plan.compiled.links, page.hrefs, snapshot.tracking_url),
  ]
}

function ofTemplate({ code, detail, line, field }: Plan['compiled']['warnings'][number]): Finding {
  const part = field === undefined ? {} : { part: field }
  return { code, field: 'template_id', detail, ...(line === undefined ? {} : { line, ...part }) }
}

function stoppedFindings(deployed: boolean, set: boolean): Finding[] {
  if (deployed && set) return []
  const by = deployed ? 'PUT /settings { "sending": true } starts it again' : 'SENDING is "off" as it was deployed'
  return [{ code: 'sending_off', field: 'status', detail: `All sending is stopped: ${by}.` }]
}

function variablesOf({ compiled, subject, preheader }: Plan): ReadVariable[] {
  return [
    ...compiled.variables,
    ...namesIn(subject).map(({ name }) => ({ name, field: 'subject' as const })),
    ...namesIn(preheader ?? '').map(({ name }) => ({ name, field: 'preheader' as const })),
  ]
}

/** Names that this mail has a gap for where they are empty. */
function neededBy({ compiled, subject, preheader }: Plan): Set<string> {
  const html = plainLinks(compiled.html, compiled.links, 'html')
  const text = plainLinks(compiled.text, compiled.links, 'text')
  const sources = [html, text, subject, preheader ?? '']
  return new Set(sources.flatMap((source) => neededIn(source).map((name) => name.split('[]')[0] ?? name)))
}
