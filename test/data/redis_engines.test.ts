// The built-in engine against real Redis: one table of commands and answers, which both have to keep.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openEngine } from '../../local/engine.ts'
import { openTestRedis, redisEngines } from '../support/redis.ts'

const WRONG_TYPE = { error: 'WRONGTYPE Operation against a key holding the wrong kind of value' }
const SYNTAX = { error: 'ERR syntax error' }
const NOT_INTEGER = { error: 'ERR value is not an integer or out of range' }

/** Commands (keys get the file's prefix where `$` stands) and what each answers. */
const CASES: Record<string, [command: (string | number)[], answer: unknown][]> = {
  strings: [
    [['SET', '$s', 'žluť 💌 "q"'], 'OK'],
    [['GET', '$s'], 'žluť 💌 "q"'],
    [['SET', '$ok', 'OK'], 'OK'],
    [['GET', '$ok'], 'OK'],
    [['GET', '$missing'], null],
    [['SET', '$s', 'b', 'NX'], null],
    [['SET', '$s', 'c', 'XX'], 'OK'],
    [['SET', '$new', 'c', 'XX'], null],
    [['SET', '$s', 'd', 'NX', 'XX'], SYNTAX],
    [['SET', '$s', 'd', 'EX'], SYNTAX],
    [['SET', '$s', 'd', 'EX', 'x'], NOT_INTEGER],
    [['SET', '$s', 'd', 'EX', 0], { error: "ERR invalid expire time in 'set' command" }],
    [['SET', '$n', 1, 'EX', 100], 'OK'],
    [['INCR', '$n'], 2],
    [['TTL', '$n'], 100],
    [['SET', '$n', 5, 'KEEPTTL'], 'OK'],
    [['TTL', '$n'], 100],
    [['INCRBY', '$n', -7], -2],
    [['SET', '$n', 5], 'OK'],
    [['TTL', '$n'], -1],
    [['INCR', '$s'], NOT_INTEGER],
    [['INCRBY', '$n', '1.5'], NOT_INTEGER],
    [['SET', '$max', '9223372036854775807'], 'OK'],
    [['INCR', '$max'], { error: 'ERR increment or decrement would overflow' }],
    [['SET', '$gone', 1, 'PXAT', 1000], 'OK'],
    [['GET', '$gone'], null],
    [['GET'], { error: "ERR wrong number of arguments for 'get' command" }],
    [['NOSUCH', 'a', 'b'], { error: "ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' " }],
  ],
  keys: [
    [['PING'], 'PONG'],
    [['PING', 'hello'], 'hello'],
    [['SET', '$a', 1], 'OK'],
    [['RPUSH', '$b', 1], 1],
    [['TYPE', '$a'], 'string'],
    [['TYPE', '$b'], 'list'],
    [['TYPE', '$c'], 'none'],
    [['EXISTS', '$a', '$a', '$b', '$c'], 3],
    [['KEYS', '$[a-b]'], expect.arrayContaining(['$a', '$b'])],
    [['KEYS', '$?x'], []],
    [['EXPIRE', '$a', 50], 1],
    [['EXPIRE', '$c', 50], 0],
    [['TTL', '$c'], -2],
    [['RENAME', '$a', '$c'], 'OK'],
    [['TTL', '$c'], 50],
    [['RENAME', '$a', '$c'], { error: 'ERR no such key' }],
    [['RENAME', '$b', '$c'], 'OK'],
    [['TTL', '$c'], -1],
    [['LRANGE', '$c', 0, -1], ['1']],
    [['EXPIRE', '$c', -1], 1],
    [['EXISTS', '$c'], 0],
    [['DEL', '$a', '$b', '$b'], 0],
    [['SET', '$a', 1], 'OK'],
    [['RENAMENX', '$a', '$a'], 0],
    [['RENAMENX', '$a', '$b'], 1],
    [['RENAMENX', '$a', '$b'], { error: 'ERR no such key' }],
    [['SET', '$a', 2], 'OK'],
    [['RENAMENX', '$a', '$b'], 0],
    [['GET', '$b'], '1'],
    [['DEL', '$b'], 1],
    [['DEL', '$a', '$a', '$x'], 1],
    [['TIME'], [expect.stringMatching(/^\d{10}$/), expect.stringMatching(/^\d+$/)]],
  ],
  lists: [
    [['RPUSH', '$l', 'a', 'b', 'c'], 3],
    [['LPUSH', '$l', 'z', 'y'], 5],
    [
      ['LRANGE', '$l', 0, -1],
      ['y', 'z', 'a', 'b', 'c'],
    ],
    [
      ['LRANGE', '$l', -2, 100],
      ['b', 'c'],
    ],
    [['LRANGE', '$l', 3, 1], []],
    [['LRANGE', '$l', 'x', 1], NOT_INTEGER],
    [['LRANGE', '$none', 0, -1], []],
    [['LLEN', '$l'], 5],
    [['LLEN', '$none'], 0],
    [['LTRIM', '$l', 1, -2], 'OK'],
    [
      ['LRANGE', '$l', 0, -1],
      ['z', 'a', 'b'],
    ],
    [['LMOVE', '$l', '$m', 'LEFT', 'RIGHT'], 'z'],
    [['LMOVE', '$l', '$m', 'right', 'left'], 'b'],
    [
      ['LRANGE', '$m', 0, -1],
      ['b', 'z'],
    ],
    [['LMOVE', '$m', '$m', 'LEFT', 'RIGHT'], 'b'],
    [
      ['LRANGE', '$m', 0, -1],
      ['z', 'b'],
    ],
    [['LMOVE', '$none', '$m', 'LEFT', 'RIGHT'], null],
    [['LMOVE', '$l', '$m', 'UP', 'RIGHT'], SYNTAX],
    [['LMOVE', '$l', '$m', 'LEFT', 'LEFT'], 'a'],
    [['EXISTS', '$l'], 0],
    [['LTRIM', '$m', 5, 9], 'OK'],
    [['EXISTS', '$m'], 0],
    [['SET', '$s', 1], 'OK'],
    [['RPUSH', '$s', 1], WRONG_TYPE],
    [['RPUSH', '$l', 1], 1],
    [['LMOVE', '$l', '$s', 'LEFT', 'LEFT'], WRONG_TYPE],
    [['GET', '$l'], WRONG_TYPE],
    [['RPUSH', '$l'], { error: "ERR wrong number of arguments for 'rpush' command" }],
  ],
  hashes: [
    [['HSET', '$h', 'a', 1, 'b', 2], 2],
    [['HSET', '$h', 'a', 3, 'c', ''], 1],
    [['HSET', '$h', 'a'], { error: "ERR wrong number of arguments for 'hset' command" }],
    [['HSET', '$h', 'a', 1, 'b'], { error: "ERR wrong number of arguments for 'hset' command" }],
    [['HGET', '$h', 'a'], '3'],
    [['HGET', '$h', 'x'], null],
    [
      ['HGETALL', '$h'],
      ['a', '3', 'b', '2', 'c', ''],
    ],
    [['HGETALL', '$none'], []],
    [['HINCRBY', '$h', 'a', 5], 8],
    [['HINCRBY', '$h', 'new', -5], -5],
    [['HINCRBY', '$h', 'c', 1], { error: 'ERR hash value is not an integer' }],
    [['HINCRBY', '$h', 'a', 'x'], NOT_INTEGER],
    [['HDEL', '$h', 'a', 'b', 'c', 'x'], 3],
    [['HDEL', '$h', 'new'], 1],
    [['TYPE', '$h'], 'none'],
  ],
  sets: [
    [['SADD', '$t', 'a', 'b', 'a'], 2],
    [['SADD', '$t', 'b'], 0],
    [['SCARD', '$t'], 2],
    [['SCARD', '$none'], 0],
    [['SREM', '$t', 'a', 'x'], 1],
    [['SMEMBERS', '$t'], ['b']],
    [['SREM', '$t', 'b'], 1],
    [['SMEMBERS', '$t'], []],
    [['TYPE', '$t'], 'none'],
  ],
  'sorted sets': [
    [['ZADD', '$z', 3, 'c', 1, 'a', 2, 'b'], 3],
    [['ZADD', '$z', 'NX', 9, 'a', 4, 'd'], 1],
    [['ZADD', '$z', 'XX', 'CH', 9, 'x', 5, 'd'], 1],
    [['ZADD', '$z', 'GT', 'CH', 4, 'd'], 0],
    [['ZADD', '$z', 'LT', 'CH', 4, 'd'], 1],
    [['ZADD', '$z', 'NX', 'XX', 1, 'a'], { error: 'ERR XX and NX options at the same time are not compatible' }],
    [['ZADD', '$z', 'x', 'a'], { error: 'ERR value is not a valid float' }],
    [['ZADD', '$z', 1, 'a', 2], SYNTAX],
    [['ZCARD', '$z'], 4],
    [['ZSCORE', '$z', 'd'], '4'],
    [['ZSCORE', '$z', 'x'], null],
    [
      ['ZMSCORE', '$z', 'a', 'x', 'b'],
      ['1', null, '2'],
    ],
    [['ZMSCORE', '$none', 'a'], [null]],
    [
      ['ZRANGE', '$z', 0, -1],
      ['a', 'b', 'c', 'd'],
    ],
    [
      ['ZRANGE', '$z', 0, 1, 'REV', 'WITHSCORES'],
      ['d', '4', 'c', '3'],
    ],
    [
      ['ZRANGE', '$z', 2, '+inf', 'BYSCORE'],
      ['b', 'c', 'd'],
    ],
    [['ZRANGE', '$z', '(2', 'inf', 'BYSCORE', 'LIMIT', 0, 1], ['c']],
    [
      ['ZRANGE', '$z', '+inf', '-inf', 'BYSCORE', 'REV', 'LIMIT', 1, 2],
      ['c', 'b'],
    ],
    [
      ['ZRANGE', '$z', 0, 1, 'LIMIT', 0, 1],
      { error: 'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX' },
    ],
    [
      ['ZRANGEBYSCORE', '$z', '-inf', 2],
      ['a', 'b'],
    ],
    [
      ['ZRANGEBYSCORE', '$z', 1, 3, 'WITHSCORES', 'LIMIT', 1, -1],
      ['b', '2', 'c', '3'],
    ],
    [['ZRANGEBYSCORE', '$z', 'x', 3], { error: 'ERR min or max is not a float' }],
    [['ZCOUNT', '$z', '(1', 3], 2],
    [['ZREM', '$z', 'a', 'x'], 1],
    [['ZREMRANGEBYSCORE', '$z', '-inf', '(4'], 2],
    [['ZADD', '$z', 4, 'žluť', 4, 'Z', '-inf', 'low', 1764000000123, 'now'], 4],
    [
      ['ZRANGE', '$z', 0, -1, 'WITHSCORES'],
      ['low', '-inf', 'Z', '4', 'd', '4', 'žluť', '4', 'now', '1764000000123'],
    ],
    [['ZREMRANGEBYSCORE', '$z', '-inf', '+inf'], 5],
    [['TYPE', '$z'], 'none'],
    [['SET', '$s', 1], 'OK'],
    [['ZADD', '$s', 1, 'a'], WRONG_TYPE],
  ],
}

describe.each(redisEngines())('on $engine', (engine) => {
  const t = openTestRedis(engine)
  afterAll(() => t.close())

  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${engine.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${engine.token}`, ...headers },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: await response.json() }
  }
  const named = (word: string | number, name: string) =>
    typeof word === 'string' ? word.replace(/^\$/, `${t.prefix}${name}:`) : word

  for (const [name, cases] of Object.entries(CASES)) {
    test(`${name}: every command answers as written`, async () => {
      const { body } = await post(
        '/pipeline',
        cases.map(([command]) => command.map((word) => named(word, name))),
      )
      const said = JSON.parse(JSON.stringify(body).replaceAll(`${t.prefix}${name}:`, '$'))
      const table = cases.map(([command], at) => ({ command, answer: said[at].error ? said[at] : said[at].result }))
      expect(table).toEqual(cases.map(([command, answer]) => ({ command, answer })))
    })
  }

  test('through the client, strings survive whatever they look like', async () => {
    const values = ['3', '00123', 'b2s=', 'OK', '{"a":1}', 'null', '', 'žluť 💌']
    await t.redis.rpush(`${t.prefix}values`, ...values)
    expect(await t.redis.lrange(`${t.prefix}values`, 0, -1)).toEqual(values)
  })

  test('a transaction runs whole; a fault inside it is that command’s own', async () => {
    const key = `${t.prefix}tx`
    const { status, body } = await post('/multi-exec', [
      ['SET', key, 'x'],
      ['INCR', key],
      ['RPUSH', `${key}:l`, '1'],
    ])
    expect({ status, body }).toEqual({ status: 200, body: [{ result: 'OK' }, NOT_INTEGER, { result: 1 }] })
  })

  test('a transaction with a command that cannot be queued changes nothing', async () => {
    const key = `${t.prefix}discarded`
    const { status, body } = await post('/multi-exec', [['SET', key, 'x'], ['NOSUCH']])
    expect(status).toBe(400)
    expect(body).toEqual({ error: 'EXECABORT Transaction discarded because of previous errors.' })
    expect(await t.redis.get(key)).toBeNull()
  })

  test('one command that fails is a 400, a missing or wrong token a 401', async () => {
    expect(await post('/', ['INCR'])).toEqual({
      status: 400,
      body: { error: "ERR wrong number of arguments for 'incr' command" },
    })
    expect((await post('/', ['PING'], { authorization: 'Bearer wrong' })).status).toBe(401)
    expect((await post('/', { not: 'a command' })).status).toBe(400)
    expect((await post('/nowhere', ['PING'])).status).toBe(404)
  })

  test('three drainers at once lose nothing of what four producers push', async () => {
    const { events, drains, drain } = t.keys
    const stored: string[] = []
    let producing = 4
    const producer = async (n: number) => {
      for (let i = 0; i < 250; i++) await t.redis.rpush(events, `${n}-${i}`)
      producing--
    }
    const drainOnce = async () => {
      const name = `${drain}${crypto.randomUUID()}`
      // RENAME fails on an empty buffer; the name in the set then points to nothing, which is harmless.
      await t.redis
        .multi()
        .sadd(drains, name)
        .rename(events, name)
        .exec()
        .catch(() => {})
      for (const list of await t.redis.smembers(drains)) {
        stored.push(...(await t.redis.lrange(list, 0, -1)))
        await t.redis.multi().del(list).srem(drains, list).exec()
      }
    }
    const drainer = async () => {
      while (producing > 0) await drainOnce()
    }
    await Promise.all([...[0, 1, 2, 3].map(producer), drainer(), drainer(), drainer()])
    await drainOnce()
    // Two drainers may both read a list before either deletes it: at least once, and nothing lost.
    expect(new Set(stored).size).toBe(1000)
  })
})

describe('the built-in engine’s file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'emk-engine-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const dump = async (engine: ReturnType<typeof openEngine>) =>
    engine.pipeline([
      ['LRANGE', 'list', '0', '-1'],
      ['GET', 'text'],
      ['TTL', 'text'],
      ['HGETALL', 'hash'],
      ['SMEMBERS', 'set'],
      ['ZRANGE', 'zset', '0', '-1', 'WITHSCORES'],
      ['GET', 'counter'],
    ])

  test('brings everything back, also what was never closed and after a torn last line', async () => {
    const engine = openEngine(folder)
    await engine.transaction([
      ['RPUSH', 'list', ...Array.from({ length: 2500 }, (_, i) => `e${i}`)],
      ['SET', 'text', 'žluť\n💌', 'EX', '1000'],
      ['HSET', 'hash', 'a', '1', 'b', '2'],
      ['SADD', 'set', 'x'],
      ['ZADD', 'zset', '1', 'a', '2', 'b'],
      ['SET', 'counter', '1', 'PX', '1'],
    ])
    await new Promise((resolve) => setTimeout(resolve, 10))
    // The old counter has expired; this one has no end. Run again too early it would inherit it.
    await engine.pipeline([['INCR', 'counter']])
    const before = await dump(engine)
    expect(before[6]).toBe('1')

    appendFileSync(join(folder, 'commands.jsonl'), '{"at":1,"run":[["FLUSHDB"')
    const again = openEngine(folder)
    expect(await dump(again)).toEqual(before)
    await again.close()
    const third = openEngine(folder)
    expect(await dump(third)).toEqual(before)
    await third.close()
    await engine.close()
  })
})
