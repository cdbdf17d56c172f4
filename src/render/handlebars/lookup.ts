import type { Location } from './ast.ts'
import type { Read } from './frame.ts'

// Reading a path part by part. Every step goes through the runtime's lookupProperty, which alone decides what a template
// may see: own properties, never a prototype's.

/** `a.b.c`, where a missing step yields what was found so far (null or undefined). */
export function readPath(base: Read, parts: readonly string[], from: number): Read {
  let read = base
  for (const name of parts.slice(from)) {
    const parent = read
    read = (frame) => {
      const value = parent(frame)
      return value == null ? value : frame.container.lookupProperty(value, name)
    }
  }
  return read
}

/** As readPath, but any falsy step ends it: for names that may turn out to be helpers, and for data variables. */
export function readTruthyPath(base: Read, parts: readonly string[], from: number): Read {
  let read = base
  for (const name of parts.slice(from)) {
    const parent = read
    read = (frame) => {
      const value = parent(frame)
      return value && frame.container.lookupProperty(value, name)
    }
  }
  return read
}

/** `strict` and `assumeObjects`: every step must be there; with `terminal` the last one must be, too. */
export function readStrictPath(
  base: Read,
  parts: readonly string[],
  from: number,
  terminal: boolean,
  loc: Location,
): Read {
  const last = parts.length - 1
  let read = base
  for (const name of parts.slice(from, terminal ? last : parts.length)) {
    const parent = read
    read = (frame) => frame.container.lookupProperty(parent(frame), name)
  }
  if (!terminal) return read
  const parent = read
  const name = parts[last] ?? ''
  return (frame) => frame.container.strict(parent(frame), name, loc)
}
