// How long it takes to count who is in a segment, and to list the first of them, of a million people with five million
// events. Through the functions that the API calls, by Neon's HTTP protocol.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countSegment, pageOfSegment } from '../../src/segments/ask.ts'
import type { Filter } from '../../src/segments/filter.ts'
import { startDatabase } from '../database.ts'
import { type Findings, median } from '../result.ts'
import type { Options } from '../run.ts'
import { makeWorld } from '../segment-world.ts'

/** In ms. */
const COUNT_AIM = 1_000
const PAGE_AIM = 100
const PAGE = 50
/** How long a statement may take here, in ms: what is slow shall show. */
const PATIENCE = 60_000

export const SEGMENTS: Record<string, Filter> = {
  'attribute is': { attribute: 'plan', op: 'eq', value: 'pro' },
  'attribute in a range': { attribute: 'seats', op: 'between', value: [10, 50] },
  'has a tag': { tags: ['vip'], op: 'any' },
  'a tag and not another': { and: [{ tags: ['customer'], op: 'any' }, { not: { tags: ['webinar'], op: 'any' } }] },
  'domain is': { field: 'domain', op: 'eq', value: 'firm77.example' },
  'created in 30 days': { field: 'created_at', op: 'in_last_days', value: 30 },
  'on list A, not on B': {
    and: [{ list: 1, op: 'subscribed' }, { not: { list: 2, op: 'subscribed' } }],
  },
  'opened something in 90 days': { engagement: 'opened', op: 'in_last_days', value: 90 },
  'sent to in 180 days, inactive': {
    and: [
      { engagement: 'sent', op: 'in_last_days', value: 180 },
      { engagement: 'opened', op: 'not_in_last_days', value: 180 },
    ],
  },
  'opened X, did not click': { and: [{ campaign: 1, op: 'opened' }, { not: { campaign: 1, op: 'clicked' } }] },
  'five conditions': {
    and: [
      { list: 1, op: 'subscribed' },
      {
        or: [
          { attribute: 'plan', op: 'in', value: ['pro', 'team'] },
          { tags: ['customer'], op: 'any' },
        ],
      },
      { field: 'created_at', op: 'before_days', value: 90 },
      { engagement: 'opened', op: 'in_last_days', value: 180 },
      { not: { campaign: 1, op: 'clicked' } },
    ],
  },
}

export async function benchSegments({ recipients: people, rounds, say }: Options): Promise<Findings> {
  const dir = mkdtempSync(join(tmpdir(), 'emk-bench-'))
  const database = await startDatabase(dir, { durable: false })
  try {
    await makeWorld(database, people, new Date(), say)
    const { db, sql } = database
    const took = new Map<string, { count: number[]; page: number[]; found: number }>()
    const scans: number[] = []
    for (let round = 0; round <= rounds; round++) {
      // The first round warms up.
      const began = performance.now()
      await sql('select count(*) from subscribers where attributes is not null')
      if (round > 0) scans.push(performance.now() - began)
      for (const [name, filter] of Object.entries(SEGMENTS)) {
        const all = took.get(name) ?? { count: [], page: [], found: 0 }
        took.set(name, all)
        const counting = performance.now()
        all.found = (await countSegment(db, filter, PATIENCE)).count
        const paging = performance.now()
        const page = await pageOfSegment(db, filter, 0, PAGE, PATIENCE)
        const end = performance.now()
        if (page.length !== Math.min(all.found, PAGE + 1))
          throw new Error(`${name}: a page of ${page.length} of ${all.found}`)
        if (round > 0) all.count.push(paging - counting)
        if (round > 0) all.page.push(end - paging)
        if (round === 0) say(`${name}: ${all.found.toLocaleString('en')}`)
      }
    }
    return findings(took, median(scans), people)
  } finally {
    await database.stop()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

function findings(
  took: ReadonlyMap<string, { count: number[]; page: number[]; found: number }>,
  scan: number,
  people: number,
): Findings {
  const all = [...took].map(([name, { count, page, found }]) => ({
    name,
    count: median(count),
    page: median(page),
    found,
  }))
  const slowest = (what: 'count' | 'page') => Math.max(...all.map((one) => one[what]))
  const reached = (most: number, aim: number) => (most < aim ? 'reached' : `NOT reached (${Math.round(most)} ms)`)
  return {
    rows: [
      ...all.flatMap(({ name, count, page }) => [
        { name: `${name}: count`, value: count, unit: 'ms' },
        { name: `${name}: first ${PAGE}`, value: page, unit: 'ms' },
      ]),
      { name: 'limit: the table of subscribers read once', value: scan, unit: 'ms' },
    ],
    ratios: { vs_limit: scan / median(all.map(({ count }) => count)), vs_limit_slowest: scan / slowest('count') },
    notes: [
      `${people.toLocaleString('en')} subscribers, ${(people * 5).toLocaleString('en')} mails of a year and as many events; medians of ${took.values().next().value?.count.length}, by Neon's HTTP protocol, on loopback. Found: ${all.map(({ name, found }) => `${name} ${found.toLocaleString('en')}`).join('; ')}.`,
      `Aims: each counted in under ${COUNT_AIM} ms: ${reached(slowest('count'), COUNT_AIM)}; first ${PAGE} in under ${PAGE_AIM} ms: ${reached(slowest('page'), PAGE_AIM)}.`,
    ],
    facts: { subscribers: people, events: people * 5 },
  }
}
