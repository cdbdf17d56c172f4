import { RedisFault } from '../resp.ts'
import { type Command, range, SYNTAX } from './store.ts'

export const lists: Record<string, Command> = {
  RPUSH: {
    arity: -3,
    writes: true,
    run(store, [key = '', ...values], now) {
      const list = store.open(key, 'list', now)
      for (const value of values) list.push(value)
      return list.length
    },
  },
  LPUSH: {
    arity: -3,
    writes: true,
    run: (store, [key = '', ...values], now) => store.open(key, 'list', now).unshift(...values.reverse()),
  },
  LLEN: { arity: 2, writes: false, run: (store, [key = ''], now) => store.read(key, 'list', now)?.length ?? 0 },
  LRANGE: {
    arity: 4,
    writes: false,
    run(store, [key = '', first, last], now) {
      const list = store.read(key, 'list', now) ?? []
      return list.slice(...range(first, last, list.length))
    },
  },
  LTRIM: {
    arity: 4,
    writes: true,
    run(store, [key = '', first, last], now) {
      const list = store.read(key, 'list', now)
      const [start, end] = range(first, last, list?.length ?? 0)
      if (list) {
        list.length = end
        list.splice(0, start)
        store.dropIfEmpty(key)
      }
      return 'OK'
    },
  },
  LMOVE: {
    arity: 5,
    writes: true,
    run(store, [source = '', target = '', from = '', to = ''], now) {
      const [take, put] = [from.toUpperCase(), to.toUpperCase()]
      if (![take, put].every((side) => side === 'LEFT' || side === 'RIGHT')) throw new RedisFault(SYNTAX)
      const list = store.read(source, 'list', now)
      if (!list) return null
      // The target's kind is tested before anything is taken away.
      store.read(target, 'list', now)
      const value = (take === 'LEFT' ? list.shift() : list.pop()) ?? ''
      const other = store.open(target, 'list', now)
      if (put === 'LEFT') other.unshift(value)
      else other.push(value)
      store.dropIfEmpty(source)
      return value
    },
  },
}
