import type { Database } from '../../db/client.ts'
import type { TemplatePerson } from '../../render/data.ts'
import { suggestion } from '../../render/nearest.ts'
import type { TemplateWarning } from '../../templates/compiled.ts'
import { SAMPLE_DATA } from '../../templates/sample.ts'
import type { Audience } from '../audience.ts'
import { type AudienceNumbers, countAudience, type LookedAt } from './audience.ts'
import type { Finding } from './finding.ts'
import { readSpread } from './spread.ts'

/** A variable where it is read first; for those of subject and preheader there is no line. */
export interface ReadVariable {
  name: string
  lines?: readonly number[]
  field?: 'source' | 'text_source' | 'subject' | 'preheader'
}

/** What a subscriber may lack. `attributes` themselves are always there, what is in them is not. */
const OPTIONAL = new Set(['first_name', 'last_name', 'timezone', 'locale'])

/** Names to suggest one from. */
const NAMES = Object.entries(SAMPLE_DATA).flatMap(([name, value]) =>
  value !== null && typeof value === 'object' && name !== 'attributes'
    ? Object.keys(value).map((inner) => `${name}.${inner}`)
    : [name],
)

/** What a preview looks at, which must be quick. */
const PREVIEWED: LookedAt = { all_up_to: 10_000, sample: 2_000 }
/** Names that are asked about in one statement; a template has a dozen. */
const MOST_NAMES = 50

/** Warns about variables that no mail has, and about those that nobody in the audience has: they would be empty for all. */
export async function unknownVariables(
  db: Database,
  audience: Audience,
  variables: readonly ReadVariable[],
): Promise<TemplateWarning[]> {
  const { unknown, optional } = sortOut(variables)
  if (optional.length === 0) return unknown.map(asWarning)
  const paths = pathsOf(optional)
  const numbers = await countAudience(db, audience, await readSpread(db, audience), { paths, looked_at: PREVIEWED })
  return [...unknown, ...emptyFor(numbers, optional)].map(asWarning)
}

/** The data of a person that variables read, to be counted: countAudience's `paths`. */
export const pathsOf = (optional: readonly Optional[]) => optional.slice(0, MOST_NAMES).map(({ path }) => path)

/** About variables that nobody has. @param numbers - with the `paths` of these variables */
export function emptyFor(numbers: AudienceNumbers, optional: readonly Optional[]): Note[] {
  const { looked_at, lacking, estimated } = numbers
  if (looked_at === 0) return []
  const whom = estimated ? `None of ${looked_at.toLocaleString('en')} recipients looked at` : 'Nobody in the audience'
  const empty = optional.filter((_, n) => lacking[n] === looked_at)
  return empty.map((variable) => note('empty_variable', variable, `${whom} has ${variable.name}.`))
}

/**
 * About variables that some of the audience have and others lack, where the mail needs them.
 *
 * @param needed - names that are printed with nothing to stand in for them (templates/variables.ts)
 */
export function missingFor(
  numbers: AudienceNumbers,
  optional: readonly Optional[],
  needed: ReadonlySet<string>,
): Note[] {
  const { looked_at, lacking, estimated } = numbers
  const of = `of ${looked_at.toLocaleString('en')} ${estimated ? 'recipients looked at' : 'recipients'}`
  return optional.flatMap((variable, n) => {
    const without = lacking[n] ?? 0
    if (without === 0 || without === looked_at || !needed.has(variable.name)) return []
    const share = `${without.toLocaleString('en')} ${of} (${percent(without / looked_at)}) have no ${variable.name}`
    const detail = `${share}: their mail has a gap there. Write {{default ${variable.name} "…"}}, or {{#if ${variable.name}}} around it.`
    return [note('missing_variable', variable, detail)]
  })
}

const percent = (share: number) => (share < 0.001 ? 'under 0.1 %' : `${Math.round(share * 1000) / 10} %`)

/** The same for one person. */
export function unknownToPerson(person: TemplatePerson, variables: readonly ReadVariable[]): TemplateWarning[] {
  const { unknown, optional } = sortOut(variables)
  const empty = optional.filter(({ path }) => isEmpty(at(person, path)))
  const notes = empty.map((variable) => note('empty_variable', variable, `This person has no ${variable.name}.`))
  return [...unknown, ...notes].map(asWarning)
}

/** A variable that a person may have or lack. */
export interface Optional extends ReadVariable {
  path: string[]
}

/** Warnings about those that are no variables at all, and the ones that subscribers may have or lack. */
export function sortOut(variables: readonly ReadVariable[]): { unknown: Note[]; optional: Optional[] } {
  const unknown: Note[] = []
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
      unknown.push(note('unknown_variable', variable, `No mail has a variable ${name}.${suggestion(name, NAMES)}`))
    }
  }
  return { unknown, optional }
}

/** What there is to say about a variable. */
export interface Note {
  code: string
  detail: string
  variable: ReadVariable
}

const note = (code: string, variable: ReadVariable, detail: string): Note => ({ code, detail, variable })

/** For whoever writes the template. */
export function asWarning({ code, detail, variable: { lines, field } }: Note): TemplateWarning {
  const [line] = lines ?? []
  const part = field === 'source' || field === 'text_source' ? { field } : {}
  return { code, detail, ...(line === undefined ? {} : { line, ...part }) }
}

/** For whoever sends the campaign. */
export function asFinding({ code, detail, variable: { lines, field } }: Note): Finding {
  if (field === 'subject' || field === 'preheader') return { code, field, detail }
  const [line] = lines ?? []
  const place = line === undefined ? {} : { line, ...(field === undefined ? {} : { part: field }) }
  return { code, field: 'template_id', detail, ...place }
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
