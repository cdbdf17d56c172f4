import { ATTRIBUTE_KEYS_LIMIT, ATTRIBUTES_LIMIT } from './row.ts'

/** Names that templates can use as they are: `{{plan}}`. */
const KEY = /^[A-Za-z][A-Za-z0-9_]{0,63}$/
/** Lists of objects of lists: deep enough for `{{#each}}` in `{{#each}}`. */
const DEPTH_LIMIT = 4
/** Line feed and tab may stand in an attribute (an address has lines); everything else of the kind may not. */
const CONTROL = /(?![\n\t])\p{Cc}/u

/** What is wrong with a subscriber's attributes as they came in: place (path below `attributes`) and reason. */
export function attributesProblem(
  attributes: Record<string, unknown>,
): { path: (string | number)[]; problem: string } | null {
  const keys = Object.keys(attributes)
  if (keys.length > ATTRIBUTE_KEYS_LIMIT) {
    return { path: [], problem: `must have at most ${ATTRIBUTE_KEYS_LIMIT} keys` }
  }
  for (const key of keys) {
    if (KEY.test(key)) continue
    const problem = 'has a key that is not a letter followed by up to 63 letters, digits or underscores'
    return { path: [key.slice(0, 100)], problem }
  }
  const found = valueProblem(attributes, [])
  if (found) return found
  if (new TextEncoder().encode(JSON.stringify(attributes)).length > ATTRIBUTES_LIMIT) {
    return { path: [], problem: `must be at most ${ATTRIBUTES_LIMIT} bytes of JSON` }
  }
  return null
}

function valueProblem(
  value: unknown,
  path: (string | number)[],
): { path: (string | number)[]; problem: string } | null {
  if (typeof value === 'string') {
    return CONTROL.test(value) ? { path, problem: 'must not contain control characters' } : null
  }
  // JSON writes 1e999, which is read as no number at all.
  if (typeof value === 'number' && !Number.isFinite(value)) return { path, problem: 'must be a number below 1e308' }
  if (typeof value !== 'object' || value === null) return null
  if (path.length >= DEPTH_LIMIT) return { path, problem: `must not be nested deeper than ${DEPTH_LIMIT} levels` }
  for (const [key, inner] of Object.entries(value)) {
    if (!Array.isArray(value) && (CONTROL.test(key) || key.length > 64 || key === '__proto__')) {
      return { path, problem: 'has a key that is too long or not allowed' }
    }
    const found = valueProblem(inner, [...path, Array.isArray(value) ? Number(key) : key])
    if (found) return found
  }
  return null
}
