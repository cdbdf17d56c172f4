import { RenderError } from './errors.ts'

/** Levels of nesting that data may have; also what ends a walk around a circle. */
const MAX_DEPTH = 32

/**
 * Makes sure that data is what JSON can hold. Handlebars calls functions that it finds in data and reads getters, so
 * neither may get there.
 *
 * @throws {RenderError} naming the path of what is not plain
 */
export function assertPlain(value: unknown, path = '', depth = 0): void {
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') {
      throw new RenderError(`data ${path || 'itself'} is a ${typeof value}, not JSON`, null)
    }
    return
  }
  if (depth > MAX_DEPTH) throw new RenderError(`data ${path} is nested more than ${MAX_DEPTH} deep`, null)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) assertPlain(value[i], path, depth + 1)
    return
  }
  if (prototype !== Object.prototype && prototype !== null) {
    throw new RenderError(`data ${path || 'itself'} is not a plain object`, null)
  }
  for (const key of Object.keys(value)) {
    assertPlain((value as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`, depth + 1)
  }
}
