// What the built-in Redis holds, and the contract of a command.
import { RedisFault, type Reply } from '../resp.ts'
import { SortedSet } from './sorted-set.ts'

interface Kinds {
  string: string
  list: string[]
  hash: Map<string, string>
  set: Set<string>
  zset: SortedSet
}

export type Kind = keyof Kinds
export type Value = { [K in Kind]: { kind: K; data: Kinds[K] } }[Kind]

const EMPTY: { [K in Kind]: () => Kinds[K] } = {
  string: () => '',
  list: () => [],
  hash: () => new Map(),
  set: () => new Set(),
  zset: () => new SortedSet(),
}

/** One command: all of it runs before the next one starts. */
export interface Command {
  /** Number of words with the name; negative: at least so many (as in Redis' own command table). */
  arity: number
  /** Whether it may change something, and so goes to the file. */
  writes: boolean
  /**
   * @param now - ms since 1970; the same command at the same `now` on the same store always does the same
   * @throws {RedisFault}
   */
  run(store: Store, args: string[], now: number): Reply
}

export const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'
export const NOT_INTEGER = 'ERR value is not an integer or out of range'
export const NOT_FLOAT = 'ERR value is not a valid float'
export const SYNTAX = 'ERR syntax error'

export class Store {
  readonly values = new Map<string, Value>()
  /** Key -> ms since 1970 when it is gone. */
  readonly expiries = new Map<string, number>()

  /** The value of this key, if it has not expired. */
  find(key: string, now: number): Value | undefined {
    const expiry = this.expiries.get(key)
    if (expiry !== undefined && expiry <= now) this.delete(key)
    return this.values.get(key)
  }

  /** The key's data of this kind, or undefined where there is no such key. */
  read<K extends Kind>(key: string, kind: K, now: number): Kinds[K] | undefined {
    const value = this.find(key, now)
    if (value === undefined) return undefined
    if (value.kind !== kind) throw new RedisFault(WRONG_TYPE)
    return value.data as Kinds[K]
  }

  /** The same, made if it is missing; to be changed in place. */
  open<K extends Exclude<Kind, 'string'>>(key: string, kind: K, now: number): Kinds[K] {
    const known = this.read(key, kind, now)
    if (known !== undefined) return known
    const data = EMPTY[kind]()
    this.values.set(key, { kind, data } as Value)
    return data
  }

  delete(key: string): void {
    this.values.delete(key)
    this.expiries.delete(key)
  }

  /** Redis has no empty lists, sets or hashes: such a key is gone. */
  dropIfEmpty(key: string): void {
    const value = this.values.get(key)
    if (!value || value.kind === 'string') return
    const size = value.kind === 'list' ? value.data.length : value.data.size
    if (size === 0) this.delete(key)
  }
}

/** A whole number that JavaScript can hold exactly. */
export function integer(text: string | undefined): number {
  const value = /^-?\d+$/.test(text ?? '') ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new RedisFault(NOT_INTEGER)
  return value
}

/** Start and end (exclusive) of a range given by Redis' indexes, where -1 is the last element. */
export function range(first: string | undefined, last: string | undefined, length: number): [number, number] {
  const from = integer(first)
  const to = integer(last)
  const start = Math.max(from < 0 ? length + from : from, 0)
  const end = Math.min((to < 0 ? length + to : to) + 1, length)
  return [start, Math.max(end, start)]
}
