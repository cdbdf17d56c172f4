import { Problem } from '../http/problem.ts'
import { TemplateError } from './errors.ts'

/** Waits for a compilation, and says what keeps the template or partial from being saved: 422 with every line. */
export async function orRefuse<T>(compiling: Promise<T>): Promise<T> {
  try {
    return await compiling
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    const [first] = error.problems
    const place = first?.line === undefined ? '' : `, line ${first.line}`
    const detail = first ? `${first.field}${place}: ${first.detail}` : 'It does not compile.'
    throw new Problem('template_invalid', detail, { errors: error.problems })
  }
}

/** For what was saved from an older version than there is. */
export const versionConflict = (what: string, version: number) =>
  new Problem('version_conflict', `${what} was changed meanwhile. Read it again and repeat your change.`, {
    errors: [{ field: 'version', detail: `is not the newest, which was ${version} a moment ago` }],
  })

/** For a partial that was there when its template or partial was compiled, and gone when that was saved. */
export const partialGone = () =>
  new Problem('version_conflict', 'A partial that it calls was deleted meanwhile. Repeat your change.')
