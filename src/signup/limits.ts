import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import { keyedHash } from '../subscribers/erasure.ts'

/** Sign-ups from one network and for one address, and in how many seconds. An office may share one address. */
const CLIENT = { most: 30, seconds: 600 }
const ADDRESS = { most: 5, seconds: 3600 }

/** Cron looks for sign-ups that were left lying for so long after one came in. In seconds. */
const WATCHED = 300

/**
 * Counts a sign-up against its limits. Who asked is kept as a keyed hash, and no longer than the limit lasts. When Redis is
 * away nobody is turned away: how many mails an address gets is limited in SQL too.
 *
 * @param client - the network address; null when it is not known
 * @returns seconds to wait, or null to go on
 */
export async function countSignup(
  { redis, redis_keys, hash_key }: Pick<Services, 'redis' | 'redis_keys' | 'hash_key'>,
  client: string | null,
  email: string,
): Promise<number | null> {
  const hash = async (text: string) => (await keyedHash(hash_key, text)).slice(0, 32)
  const limits = [{ ...ADDRESS, key: `${redis_keys.signup}a:${await hash(`address ${email.toLowerCase()}`)}` }]
  if (client !== null)
    limits.push({ ...CLIENT, key: `${redis_keys.signup}c:${await hash(`client ${networkOf(client)}`)}` })
  const calls = redis.multi().set(redis_keys.signups, '1', { ex: WATCHED })
  for (const { key, seconds } of limits) calls.set(key, '0', { nx: true, ex: seconds }).incr(key).ttl(key)
  try {
    const [, ...answers] = await calls.exec<unknown[]>()
    const waits = limits.map(({ most, seconds }, i) => {
      const [count, left] = [Number(answers[i * 3 + 1]), Number(answers[i * 3 + 2])]
      return count > most ? Math.max(left > 0 ? left : seconds, 1) : 0
    })
    return Math.max(...waits) || null
  } catch (error) {
    log('signup_not_counted', { error: error instanceof Error ? error.name : 'unknown' })
    return null
  }
}

/** An IPv6 customer has a /64 at least: its addresses count as one. */
export function networkOf(address: string): string {
  const ipv4 = /(?:^|:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1]
  if (ipv4 !== undefined || !address.includes(':')) return ipv4 ?? address
  const [head = '', tail = ''] = address.toLowerCase().split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const [before, after] = [groups(head), groups(tail)]
  const gap = address.includes('::') ? Array<string>(Math.max(8 - before.length - after.length, 0)).fill('0') : []
  return [...before, ...gap, ...after]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}
