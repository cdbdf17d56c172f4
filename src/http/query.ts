import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from './context.ts'
import { Problem } from './problem.ts'

/**
 * Looks at the query before any schema does: NUL, which Postgres cannot take, and saying one thing twice are
 * refused everywhere, and every parameter where a call knows none (`known` false), so that `?dry_run=true` never passes
 * for something that was understood.
 *
 * @param repeatable - fields that may be given several times
 */
export function plainQuery(known: boolean, repeatable: readonly string[] = []): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const errors = Object.entries(c.req.queries()).flatMap(([field, values]) => {
      if (!known) return [{ field, detail: 'is not known here: remove it' }]
      if (values.length > 1 && !repeatable.includes(field)) return [{ field, detail: 'must be given only once' }]
      const has_nul = field.includes('\0') || values.some((value) => value.includes('\0'))
      return has_nul ? [{ field, detail: 'must not contain the character NUL' }] : []
    })
    const [first] = errors
    if (first) throw new Problem('validation_failed', `${first.field} ${first.detail}`, { errors })
    await next()
  }
}
