import { RedisFault } from '../resp.ts'
import { type Command, integer, NOT_INTEGER, type Store, SYNTAX } from './store.ts'

const INT64 = 2n ** 63n

export const strings: Record<string, Command> = {
  GET: {
    arity: 2,
    writes: false,
    run: (store, [key = ''], now) => store.read(key, 'string', now) ?? null,
  },
  SET: {
    arity: -3,
    writes: true,
    run(store, [key = '', data = '', ...options], now) {
      const { expiry, only, keep } = setOptions(options, now)
      const exists = store.find(key, now) !== undefined
      if ((only === 'NX' && exists) || (only === 'XX' && !exists)) return null
      store.values.set(key, { kind: 'string', data })
      if (expiry !== null) store.expiries.set(key, expiry)
      else if (!keep) store.expiries.delete(key)
      return 'OK'
    },
  },
  INCR: { arity: 2, writes: true, run: (store, [key = ''], now) => add(store, key, 1n, now) },
  INCRBY: {
    arity: 3,
    writes: true,
    run: (store, [key = '', by], now) => add(store, key, BigInt(integer(by)), now),
  },
}

function setOptions(options: string[], now: number) {
  let expiry: number | null = null
  let only: 'NX' | 'XX' | null = null
  let keep = false
  for (let at = 0; at < options.length; at++) {
    const option = options[at]?.toUpperCase()
    if (option === 'NX' || option === 'XX') {
      if (only !== null && only !== option) throw new RedisFault(SYNTAX)
      only = option
    } else if (option === 'KEEPTTL') keep = true
    else if (option === 'EX' || option === 'PX' || option === 'PXAT') {
      const amount = options[++at]
      if (amount === undefined || expiry !== null) throw new RedisFault(SYNTAX)
      const time = integer(amount)
      if (time <= 0) throw new RedisFault("ERR invalid expire time in 'set' command")
      expiry = option === 'PXAT' ? time : now + time * (option === 'EX' ? 1000 : 1)
    } else throw new RedisFault(SYNTAX)
  }
  if (keep && expiry !== null) throw new RedisFault(SYNTAX)
  return { expiry, only, keep }
}

/** Redis counts in 64 bits with sign. */
function add(store: Store, key: string, by: bigint, now: number): number {
  const text = store.read(key, 'string', now) ?? '0'
  if (!/^(0|-?[1-9]\d*)$/.test(text)) throw new RedisFault(NOT_INTEGER)
  const sum = BigInt(text) + by
  if (sum >= INT64 || sum < -INT64) throw new RedisFault('ERR increment or decrement would overflow')
  store.values.set(key, { kind: 'string', data: String(sum) })
  return Number(sum)
}
