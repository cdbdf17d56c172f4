import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { TemplatePerson } from '../render/data.ts'
import { suggestion } from '../render/nearest.ts'
import type { TemplateWarning } from '../templates/compiled.ts'
import { SAMPLE_DATA } from '../templates/sample.ts'
import type { Audience } from './audience.ts'

/** A variable where it is read first; for those of subject and preheader there is no line. */
export interface ReadVariable {
  name: string
  lines?: readonly number[]
  field?: 'source' | 'text_source'
}

/** What a subscriber may lack. `attributes` themselves are always there, what is in them is not. */
const OPTIONAL = new Set(['first_name', 'last_name', 'timezone', 'locale'])

/** Names to suggest one from. */
const NAMES = Object.entries(SAMPLE_DATA).flatMap(([name, value]) =>
  value !== null && typeof value === 'object' && name !== 'attributes'
    ? Object.keys(value).map((inner) => `${name}.${inner}`)
    : [name],
)

/** People that are looked at, from the oldest and the newest members of the lists. */
const LOOKED_AT = 1000

/**
 * Warns about variables that no mail has, and about those that nobody in the audience has: they would be empty for all.
 *
 * Only some recipients are looked at, at most LOOKED_AT by the primary key of list_members, so that it costs the same for a
 * list of a million. If the rest of the audience's definition leaves none of them, nothing is said about what they have.
 */
export async function unknownVariables(
  db: Database,
  audience: Audience,
  variables: readonly ReadVariable[],
): Promise<TemplateWarning[]> {
  const { unknown, optional } = sortOut(variables)
  if (optional.length === 0) return unknown
  const { looked_at, found } = await lookAt(db, audience, optional)
  if (looked_at === 0) return unknown
  const whom = looked_at < LOOKED_AT / 2 ? 'Nobody in the audience' : `None of ${looked_at} recipients looked at`
  const empty = optional.filter((_, n) => !found.has(n))
  return [...unknown, ...empty.map((variable) => warning('empty_variable', variable, `${whom} has ${variable.name}.`))]
}

/** The same for one person. */
export function unknownToPerson(person: TemplatePerson, variables: readonly ReadVariable[]): TemplateWarning[] {
  const { unknown, optional } = sortOut(variables)
  const empty = optional.filter(({ path }) => isEmpty(at(person, path)))
  return [
    ...unknown,
    ...empty.map((variable) => warning('empty_variable', variable, `This person has no ${variable.name}.`)),
  ]
}

interface Optional extends ReadVariable {
  path: string[]
}

/** Warnings about those that are no variables at all, and the ones that subscribers may have or lack. */
export function sortOut(variables: readonly ReadVariable[]): { unknown: TemplateWarning[]; optional: Optional[] } {
  const unknown: TemplateWarning[] = []
  const optional: Optional[] = []
  const seen = new Set<string>()
  for (const variable of variables) {
    // What is read of each element is there if the list is.
    const [name = ''] = variable.name.split('[]')
    if (name === '' || seen.has(name)) continue
    seen.add(name)
    const path = name.split('.')
    const [root = ''] = path
    if (path.length > 1 && path.at(-1) === 'length') path.pop()
    if (OPTIONAL.has(root) || (root === 'attributes' && path.length > 1)) optional.push({ ...variable, name, path })
    else if (at(SAMPLE_DATA, path) === undefined) {
      unknown.push(warning('unknown_variable', variable, `No mail has a variable ${name}.${suggestion(name, NAMES)}`))
    }
  }
  return { unknown, optional }
}

function warning(code: string, { lines, field }: ReadVariable, detail: string): TemplateWarning {
  const [line] = lines ?? []
  return { code, detail, ...(line === undefined ? {} : { line, ...(field === undefined ? {} : { field }) }) }
}

function at(data: unknown, path: readonly string[]): unknown {
  let value = data
  for (const name of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

async function lookAt(db: Database, { include, exclude, where }: Audience, optional: readonly Optional[]) {
  const of_each = Math.max(1, Math.floor(LOOKED_AT / 2 / include.length))
  const members = (order: 'asc' | 'desc') => sql`
    (select m.subscriber_id, m.status from list_members m where m.list_id = l.id
     order by m.subscriber_id ${sql.raw(order)} limit ${of_each})`
  const paths = optional.map(({ path }, n) => ({ n, path }))
  const { rows } = await db.execute<{ looked_at: number; found: number[] }>(sql`
    with members as (
      select distinct member.subscriber_id from unnest(${sql.param(include)}::bigint[]) as l (id)
      cross join lateral (${members('asc')} union all ${members('desc')}) member
      where member.status = 'subscribed'
    ), people as materialized (
      select jsonb_build_object('first_name', s.first_name, 'last_name', s.last_name, 'timezone', s.timezone,
        'locale', s.locale, 'attributes', s.attributes) as data
      from members join subscribers s on s.id = members.subscriber_id
      where s.status = 'active' and s.attributes @> ${JSON.stringify(where)}::jsonb
        and not exists (select from list_members m where m.subscriber_id = s.id
          and m.list_id = any(${sql.param(exclude)}::bigint[]))
    )
    select (select count(*)::int from people) as looked_at, array(
      select v.n from jsonb_to_recordset(${JSON.stringify(paths)}::jsonb) as v (n int, path text[])
      where exists (select from people where coalesce(data #>> v.path, '') not in ('', '[]', '{}'))) as found`)
  const [row] = rows
  return { looked_at: row?.looked_at ?? 0, found: new Set(row?.found) }
}
