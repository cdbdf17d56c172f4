import { RedisFault } from '../resp.ts'
import { type Command, integer } from './store.ts'

export const hashes: Record<string, Command> = {
  HSET: {
    arity: -4,
    writes: true,
    run(store, [key = '', ...pairs], now) {
      if (pairs.length % 2) throw new RedisFault("ERR wrong number of arguments for 'hset' command")
      const hash = store.open(key, 'hash', now)
      const before = hash.size
      for (let at = 0; at < pairs.length; at += 2) hash.set(pairs[at] ?? '', pairs[at + 1] ?? '')
      return hash.size - before
    },
  },
  HGET: {
    arity: 3,
    writes: false,
    run: (store, [key = '', field = ''], now) => store.read(key, 'hash', now)?.get(field) ?? null,
  },
  HGETALL: {
    arity: 2,
    writes: false,
    run: (store, [key = ''], now) => [...(store.read(key, 'hash', now) ?? [])].flat(),
  },
  HDEL: {
    arity: -3,
    writes: true,
    run(store, [key = '', ...fields], now) {
      const hash = store.read(key, 'hash', now)
      const gone = fields.filter((field) => hash?.delete(field)).length
      store.dropIfEmpty(key)
      return gone
    },
  },
  HINCRBY: {
    arity: 4,
    writes: true,
    run(store, [key = '', field = '', by], now) {
      const amount = integer(by)
      const text = store.read(key, 'hash', now)?.get(field) ?? '0'
      if (!/^(0|-?[1-9]\d*)$/.test(text)) throw new RedisFault('ERR hash value is not an integer')
      const sum = Number(text) + amount
      store.open(key, 'hash', now).set(field, String(sum))
      return sum
    },
  },
}
