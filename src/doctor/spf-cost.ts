// What an SPF record costs a receiver: it follows what the record names, and gives up after ten lookups (RFC 7208 4.6.4).

import { isDomain } from './domain.ts'
import type { Resolver } from './resolver.ts'
import { hasMacro, isSpf, readSpf, type SpfTerm } from './spf-record.ts'

export interface SpfCost {
  lookups: number
  /** Names that were asked for in vain. */
  void_lookups: string[]
  /** Names under `include` and `redirect`, at any depth. */
  included: string[]
  /** What makes a receiver give up: the name, why, and what the first record names that leads there. */
  broken: { domain: string; via: string; how: 'loop' | 'no_record' | 'several_records' | 'syntax' }[]
  failed: { domain: string; why: string }[]
}

export const MOST_LOOKUPS = 10
export const MOST_VOID = 2
/** Where counting ends: a receiver has long given up. */
const ENOUGH = 40

/** Follows all of a record, as a receiver does whom no part of it matches. */
export async function spfCost(resolver: Resolver, domain: string, terms: readonly SpfTerm[]): Promise<SpfCost> {
  const cost: SpfCost = { lookups: 0, void_lookups: [], included: [], broken: [], failed: [] }
  await follow(resolver, cost, terms, [domain])
  return cost
}

/** @param path - from the first record to the one that is followed: who comes back to it would go round for ever */
async function follow(resolver: Resolver, cost: SpfCost, terms: readonly SpfTerm[], path: readonly string[]) {
  const own = path.at(-1) as string
  for (const { name, domain } of reached(terms)) {
    if (name === 'all' || name === 'ip4' || name === 'ip6') continue
    cost.lookups++
    if (cost.lookups > ENOUGH) return
    const target = domain?.replace(/\.$/, '') ?? own
    // What it stands for is known only when a mail comes in.
    if (name === 'ptr' || hasMacro(target)) continue
    if (name === 'include' || name === 'redirect') await followRecord(resolver, cost, target, path)
    else await lookUp(resolver, cost, target, name)
  }
}

/** What stands after `all` is never come to, and `redirect` only where there is no `all`. */
function reached(terms: readonly SpfTerm[]): readonly SpfTerm[] {
  const all = terms.findIndex(({ name }) => name === 'all')
  const mechanisms = (all < 0 ? terms : terms.slice(0, all)).filter(({ name }) => name !== 'redirect')
  return all < 0 ? [...mechanisms, ...terms.filter(({ name }) => name === 'redirect')] : mechanisms
}

async function followRecord(resolver: Resolver, cost: SpfCost, target: string, path: readonly string[]) {
  const via = path[1] ?? target
  if (path.includes(target)) {
    cost.broken.push({ domain: target, via, how: 'loop' })
    return
  }
  cost.included.push(target)
  const answer = await resolver.look(target, 'TXT')
  if (answer.kind === 'failed') {
    cost.failed.push({ domain: target, why: answer.why })
    return
  }
  const records = answer.kind === 'found' ? answer.values.filter(isSpf) : []
  const [record] = records
  if (record === undefined) cost.broken.push({ domain: target, via, how: 'no_record' })
  else if (records.length > 1) cost.broken.push({ domain: target, via, how: 'several_records' })
  else {
    const { terms, faults } = readSpf(record)
    if (faults.length > 0) cost.broken.push({ domain: target, via, how: 'syntax' })
    else await follow(resolver, cost, terms, [...path, target])
  }
}

async function lookUp(resolver: Resolver, cost: SpfCost, target: string, name: 'a' | 'mx' | 'exists') {
  if (!isDomain(target)) return
  const answer = await resolver.look(target, name === 'mx' ? 'MX' : 'A')
  if (answer.kind === 'found') return
  // A receiver that is reached by IPv6 asks for AAAA, and finds it.
  const other = name === 'a' && answer.kind === 'none' && answer.exists ? await resolver.look(target, 'AAAA') : answer
  if (other.kind === 'failed') cost.failed.push({ domain: target, why: other.why })
  else if (other.kind === 'none') cost.void_lookups.push(target)
}
