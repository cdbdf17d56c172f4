import { RedisFault, type Reply } from '../resp.ts'
import { type Command, integer, NOT_FLOAT, range, type Store, SYNTAX } from './store.ts'

type Entry = readonly [member: string, score: number]

export const sortedSets: Record<string, Command> = {
  ZADD: {
    arity: -4,
    writes: true,
    run(store, [key = '', ...rest], now) {
      const { flags, pairs } = addition(rest)
      const set = store.open(key, 'zset', now)
      let added = 0
      let changed = 0
      for (const [member, score] of pairs) {
        const old = set.score(member)
        if (old === undefined ? flags.has('XX') : flags.has('NX')) continue
        if (old !== undefined && ((flags.has('GT') && score <= old) || (flags.has('LT') && score >= old))) continue
        if (old === undefined) added++
        else if (old !== score) changed++
        set.set(member, score)
      }
      store.dropIfEmpty(key)
      return flags.has('CH') ? added + changed : added
    },
  },
  ZSCORE: {
    arity: 3,
    writes: false,
    run: (store, [key = '', member = ''], now) => scoreText(store.read(key, 'zset', now)?.score(member)),
  },
  ZMSCORE: {
    arity: -3,
    writes: false,
    run(store, [key = '', ...members], now) {
      const set = store.read(key, 'zset', now)
      return members.map((member) => scoreText(set?.score(member)))
    },
  },
  ZREM: {
    arity: -3,
    writes: true,
    run: (store, [key = '', ...members], now) => remove(store, key, members, now),
  },
  ZCARD: { arity: 2, writes: false, run: (store, [key = ''], now) => store.read(key, 'zset', now)?.size ?? 0 },
  ZCOUNT: {
    arity: 4,
    writes: false,
    run: (store, [key = '', min, max], now) => byScore(store, key, min, max, now).length,
  },
  ZRANGE: {
    arity: -4,
    writes: false,
    run(store, [key = '', first, last, ...options], now) {
      const { words, limit } = rangeOptions(options, ['BYSCORE', 'REV', 'WITHSCORES'])
      const reversed = words.has('REV')
      if (!words.has('BYSCORE')) {
        if (limit) {
          throw new RedisFault('ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX')
        }
        const all = [...(store.read(key, 'zset', now)?.entries() ?? [])]
        if (reversed) all.reverse()
        return answer(all.slice(...range(first, last, all.length)), words.has('WITHSCORES'))
      }
      const [min, max] = reversed ? [last, first] : [first, last]
      const found = byScore(store, key, min, max, now)
      if (reversed) found.reverse()
      return answer(limited(found, limit), words.has('WITHSCORES'))
    },
  },
  ZRANGEBYSCORE: {
    arity: -4,
    writes: false,
    run(store, [key = '', min, max, ...options], now) {
      const { words, limit } = rangeOptions(options, ['WITHSCORES'])
      return answer(limited(byScore(store, key, min, max, now), limit), words.has('WITHSCORES'))
    },
  },
  ZREMRANGEBYSCORE: {
    arity: 4,
    writes: true,
    run: (store, [key = '', min, max], now) =>
      remove(
        store,
        key,
        byScore(store, key, min, max, now).map(([member]) => member),
        now,
      ),
  },
}

function addition(words: string[]): { flags: Set<string>; pairs: Entry[] } {
  const flags = new Set<string>()
  let at = 0
  for (; ['NX', 'XX', 'GT', 'LT', 'CH'].includes(words[at]?.toUpperCase() ?? ''); at++) {
    flags.add(words[at]?.toUpperCase() ?? '')
  }
  const rest = words.slice(at)
  if (rest.length === 0 || rest.length % 2) throw new RedisFault(SYNTAX)
  if (flags.has('NX') && flags.has('XX')) {
    throw new RedisFault('ERR XX and NX options at the same time are not compatible')
  }
  if (flags.has('GT') ? flags.has('NX') || flags.has('LT') : flags.has('LT') && flags.has('NX')) {
    throw new RedisFault('ERR GT, LT, and/or NX options at the same time are not compatible')
  }
  const pairs: Entry[] = []
  for (let pair = 0; pair < rest.length; pair += 2) pairs.push([rest[pair + 1] ?? '', float(rest[pair], NOT_FLOAT)])
  return { flags, pairs }
}

function remove(store: Store, key: string, members: string[], now: number): number {
  const set = store.read(key, 'zset', now)
  const gone = members.filter((member) => set?.delete(member)).length
  store.dropIfEmpty(key)
  return gone
}

/** Bounds are numbers, `-inf`, `+inf`, and exclusive with a `(` before them. */
function byScore(store: Store, key: string, min = '', max = '', now: number): Entry[] {
  const bound = (text: string) => float(text.replace(/^\(/, ''), 'ERR min or max is not a float')
  const [low, high] = [bound(min), bound(max)]
  const above = (score: number) => (min.startsWith('(') ? score > low : score >= low)
  const below = (score: number) => (max.startsWith('(') ? score < high : score <= high)
  return (store.read(key, 'zset', now)?.entries() ?? []).filter(([, score]) => above(score) && below(score))
}

function rangeOptions(options: string[], allowed: string[]) {
  const words = new Set<string>()
  let limit: [offset: number, count: number] | null = null
  for (let at = 0; at < options.length; at++) {
    const option = options[at]?.toUpperCase() ?? ''
    if (option === 'LIMIT' && at + 2 < options.length) limit = [integer(options[++at]), integer(options[++at])]
    else if (allowed.includes(option)) words.add(option)
    else throw new RedisFault(SYNTAX)
  }
  return { words, limit }
}

/** A negative count means all that are left. */
function limited(entries: Entry[], limit: [offset: number, count: number] | null): Entry[] {
  if (!limit) return entries
  const [offset, count] = limit
  if (offset < 0) return []
  return entries.slice(offset, count < 0 ? undefined : offset + count)
}

function answer(entries: Entry[], with_scores: boolean): Reply {
  return entries.flatMap(([member, score]) => (with_scores ? [member, scoreText(score)] : [member]))
}

function float(text: string | undefined, fault: string): number {
  if (/^[+-]?inf(inity)?$/i.test(text ?? '')) return text?.startsWith('-') ? -Infinity : Infinity
  const value = text === undefined || text.trim() !== text || text === '' ? Number.NaN : Number(text)
  if (Number.isNaN(value)) throw new RedisFault(fault)
  return value
}

function scoreText(score: number | undefined): string | null {
  if (score === undefined) return null
  if (Number.isFinite(score)) return String(score)
  return score > 0 ? 'inf' : '-inf'
}
