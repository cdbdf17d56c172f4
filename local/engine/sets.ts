import type { Command } from './store.ts'

export const sets: Record<string, Command> = {
  SADD: {
    arity: -3,
    writes: true,
    run(store, [key = '', ...members], now) {
      const set = store.open(key, 'set', now)
      const before = set.size
      for (const member of members) set.add(member)
      return set.size - before
    },
  },
  SREM: {
    arity: -3,
    writes: true,
    run(store, [key = '', ...members], now) {
      const set = store.read(key, 'set', now)
      const gone = members.filter((member) => set?.delete(member)).length
      store.dropIfEmpty(key)
      return gone
    },
  },
  SMEMBERS: { arity: 2, writes: false, run: (store, [key = ''], now) => [...(store.read(key, 'set', now) ?? [])] },
  SCARD: { arity: 2, writes: false, run: (store, [key = ''], now) => store.read(key, 'set', now)?.size ?? 0 },
}
