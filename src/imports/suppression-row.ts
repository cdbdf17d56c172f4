import { unguardFormula } from '../http/csv.ts'
import { normaliseDomain, normaliseEmail } from '../subscribers/email.ts'
import type { SubscriberStatus } from '../subscribers/status.ts'
import type { SuppressionRow } from '../suppressions/insert.ts'
import { isoTime, quoted } from './cell.ts'
import { type SuppressionField, statusOf } from './fields.ts'
import type { Columns } from './mapping.ts'
import { isLine, lineProblem, type Problem, sourceOf } from './row.ts'

const REASONS: Record<SubscriberStatus, SuppressionRow['reason']> = {
  active: 'manual',
  unsubscribed: 'unsubscribe',
  bounced: 'bounce',
  complained: 'complaint',
}

/** One address, domain or keyed hash that must not be mailed. */
export function toSuppression(
  columns: Columns,
  cells: readonly string[],
  { file_name }: { file_name: string | null },
): { row: SuppressionRow } | Problem {
  const texts: Partial<Record<SuppressionField, string>> = {}
  columns.targets.forEach((target, i) => {
    const cell = cells[i]?.trim()
    if (!target || !('field' in target) || !cell) return
    texts[target.field as SuppressionField] = columns.format === 'kit' ? unguardFormula(cell) : cell
  })
  const named = nameSuppressed(texts)
  if ('problem' in named) return named
  const reason = suppressionReason(texts.reason, named.kind, columns.standing)
  if (reason === null) return { problem: `reason ${quoted(texts.reason ?? '')} is not known` }
  const source = texts.source ?? (file_name === null ? null : sourceOf(file_name))
  if (source !== null && !isLine(source)) return { problem: `source ${lineProblem(source)}` }
  const row: SuppressionRow = { ...named, reason, source }
  if (texts.created_at !== undefined) {
    const time = isoTime(texts.created_at)
    if (time === null || time < '1970') {
      return { problem: `created_at must be a time since 1970 such as 2026-11-24, not ${quoted(texts.created_at)}` }
    }
    row.created_at = time
  }
  return { row }
}

function nameSuppressed({
  email,
  domain,
  hash,
  kind,
  value,
}: Partial<Record<SuppressionField, string>>): Pick<SuppressionRow, 'kind' | 'value'> | Problem {
  if (kind !== undefined && value !== undefined) {
    const known = kind.toLowerCase()
    if (known === 'domain') domain ??= value
    else if (known === 'hash') hash ??= value
    else if (known === 'address' || known === 'email') email ??= value
    else return { problem: `kind must be address, domain or hash, not ${quoted(kind)}` }
  }
  const given = [email, domain, hash].filter((text) => text !== undefined).length
  if (given !== 1) return { problem: given === 0 ? 'email is empty' : 'must be one of email, domain and hash' }
  if (hash !== undefined) {
    const lower = hash.toLowerCase()
    return /^[0-9a-f]{64}$/.test(lower)
      ? { kind: 'hash', value: lower }
      : { problem: 'hash must be 64 hexadecimal digits' }
  }
  if (domain !== undefined) {
    const result = normaliseDomain(domain.replace(/^@/, ''))
    return 'problem' in result ? { problem: `domain ${result.problem}` } : { kind: 'domain', value: result.domain }
  }
  const result = normaliseEmail(email ?? '')
  return 'problem' in result
    ? { problem: `email ${result.problem}` }
    : { kind: 'address', value: result.email.toLowerCase() }
}

function suppressionReason(
  text: string | undefined,
  kind: SuppressionRow['kind'],
  standing: SubscriberStatus | null,
): SuppressionRow['reason'] | null {
  if (text === undefined) return standing ? REASONS[standing] : kind === 'hash' ? 'deleted' : 'manual'
  const lower = text.toLowerCase()
  if (lower === 'deleted' && kind === 'hash') return 'deleted'
  const known = Object.values(REASONS).find((reason) => reason === lower)
  if (known) return known
  const status = statusOf(lower)
  return status ? REASONS[status] : null
}
