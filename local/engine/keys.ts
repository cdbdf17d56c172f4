import { RedisFault } from '../resp.ts'
import { type Command, integer, type Store } from './store.ts'

export const keys: Record<string, Command> = {
  PING: { arity: -1, writes: false, run: (_store, [text]) => text ?? 'PONG' },
  TIME: {
    arity: 1,
    writes: false,
    run: (_store, _args, now) => [String(Math.floor(now / 1000)), String((now % 1000) * 1000)],
  },
  DEL: {
    arity: -2,
    writes: true,
    run(store, names, now) {
      const there = [...new Set(names)].filter((name) => store.find(name, now) !== undefined)
      for (const name of there) store.delete(name)
      return there.length
    },
  },
  EXISTS: {
    arity: -2,
    writes: false,
    run: (store, names, now) => names.filter((name) => store.find(name, now) !== undefined).length,
  },
  TYPE: { arity: 2, writes: false, run: (store, [key = ''], now) => store.find(key, now)?.kind ?? 'none' },
  KEYS: {
    arity: 2,
    writes: false,
    run(store, [pattern = ''], now) {
      const matches = glob(pattern)
      return [...store.values.keys()].filter((key) => matches.test(key) && store.find(key, now) !== undefined)
    },
  },
  RENAME: {
    arity: 3,
    writes: true,
    run(store, [from = '', to = ''], now) {
      rename(store, from, to, now)
      return 'OK'
    },
  },
  RENAMENX: {
    arity: 3,
    writes: true,
    run(store, [from = '', to = ''], now) {
      if (store.find(from, now) !== undefined && store.find(to, now) !== undefined) return 0
      rename(store, from, to, now)
      return 1
    },
  },
  EXPIRE: {
    arity: 3,
    writes: true,
    run: (store, [key = '', seconds], now) => expire(store, key, now + integer(seconds) * 1000, now),
  },
  PEXPIREAT: {
    arity: 3,
    writes: true,
    run: (store, [key = '', moment], now) => expire(store, key, integer(moment), now),
  },
  TTL: {
    arity: 2,
    writes: false,
    run(store, [key = ''], now) {
      if (store.find(key, now) === undefined) return -2
      const expiry = store.expiries.get(key)
      return expiry === undefined ? -1 : Math.floor((expiry - now + 500) / 1000)
    },
  },
  FLUSHDB: {
    arity: -1,
    writes: true,
    run(store) {
      store.values.clear()
      store.expiries.clear()
      return 'OK'
    },
  },
}

function expire(store: Store, key: string, moment: number, now: number): number {
  if (store.find(key, now) === undefined) return 0
  store.expiries.set(key, moment)
  return 1
}

/** Redis' patterns: `*`, `?`, `[abc]`, `[^a]`, `[a-z]` and `\` before any of them. */
function glob(pattern: string): RegExp {
  const source = pattern.replace(/\\.|\[[^\]]*\]|[\s\S]/g, (part) => {
    if (part === '*') return '[\\s\\S]*'
    if (part === '?') return '[\\s\\S]'
    if (part.length > 1 && part.startsWith('[')) return part
    const letter = part.startsWith('\\') ? part.slice(1) : part
    return letter.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  })
  return new RegExp(`^${source}$`)
}

function rename(store: Store, from: string, to: string, now: number): void {
  const value = store.find(from, now)
  if (value === undefined) throw new RedisFault('ERR no such key')
  if (from === to) return
  const expiry = store.expiries.get(from)
  store.delete(from)
  store.delete(to)
  store.values.set(to, value)
  if (expiry !== undefined) store.expiries.set(to, expiry)
}
