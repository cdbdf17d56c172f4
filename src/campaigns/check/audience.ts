import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../db/client.ts'
import { allowlistEntries } from '../../sending/allowlist.ts'
import type { ResolvedAudience } from '../audience.ts'
import { inAudience } from '../in-audience.ts'
import { counted, type Finding } from './finding.ts'
import { PROVIDER_OF } from './mailbox-providers.ts'
import { membersOf, type Spread } from './spread.ts'

/** How many people are looked at: all of a list up to the first, of a larger one as many as the second. */
export interface LookedAt {
  all_up_to: number
  sample: number
}

/** All of a million take seconds on a small database; shares of 20,000 are within 0.7 percentage points 19 times of 20. */
const CHECKED: LookedAt = { all_up_to: 200_000, sample: 20_000 }

export interface AudienceNumbers {
  /** People in the audience as of now. */
  count: number
  /** Of those, people who will be skipped: their address or domain is suppressed, or RECIPIENT_ALLOWLIST leaves it out. */
  suppressed: number
  not_in_allowlist: number
  by_provider: { provider: string; count: number }[]
  /** The numbers are scaled up from some members of the lists. */
  estimated: boolean
  /** People in the audience who were looked at; all of them unless `estimated`. */
  looked_at: number
  /** For each path that was asked about, how many of `looked_at` have nothing there. */
  lacking: number[]
}

/** Domains that are named besides the known providers. */
const OTHERS = 10

/**
 * Counts an audience as freezing would find it now, by mailbox provider, in one statement.
 *
 * @param paths - of a person's data (`['attributes', 'plan']`): how many lack it
 * @param allowlist - RECIPIENT_ALLOWLIST
 */
export async function countAudience(
  db: Database,
  audience: ResolvedAudience,
  spread: Spread,
  { paths = [], allowlist = '*', looked_at = CHECKED }: Asked = {},
): Promise<AudienceNumbers> {
  const entries = allowlistEntries(allowlist)
  const domain = sql`lower(split_part(s.email, '@', 2))`
  const outside = entries
    ? sql`not (lower(s.email) = any(${sql.param([...entries])}::text[]) or '@' || ${domain} = any(${sql.param([...entries])}::text[]))`
    : sql`false`
  const lacking = paths.map((path) => sql`count(*) filter (where ${lacks(path)})`)
  const estimated = spread.members > looked_at.all_up_to
  const members = estimated
    ? membersOf(audience, spread, looked_at.sample)
    : sql`(select 0 as subscriber_id, 0 as memberships)`
  const people = estimated
    ? // Row by row: Postgres would rather read both tables whole than believe how few these are.
      sql`looked_at l cross join lateral (
          select * from subscribers s where s.id = l.subscriber_id and ${inAudience(audience)} offset 0
        ) s`
    : sql`(select * from subscribers s where ${inAudience(audience)}) s`
  const { rows } = await db.execute<Row>(sql`
    with looked_at as materialized (select * from ${members} m), by_domain as materialized (
      select ${domain} as domain, count(*) as n, count(a.id) as suppressed,
        count(*) filter (where a.id is null and ${outside}) as outside,
        array[${sql.join([sql`0::bigint`, ...lacking], sql`, `)}] as lacking
      from ${people}
      left join suppressions a on a.kind = 'address' and a.value = lower(s.email)
      group by 1
    ), named as (
      select coalesce(k.provider, d.domain) as provider, k.provider is not null as known, sum(d.n)::float8 as n
      from by_domain d
      left join unnest(${sql.param([...PROVIDER_OF.keys()])}::text[], ${sql.param([...PROVIDER_OF.values()])}::text[])
        as k (domain, provider) on k.domain = d.domain
      group by 1, 2
    ), shown as (
      (select * from named where known)
      union all (select * from named where not known order by n desc, provider limit ${OTHERS})
    )
    select (select sum(memberships)::float8 from looked_at) as memberships,
      coalesce(sum(d.n), 0)::float8 as people,
      coalesce(sum(case when o.id is null then d.suppressed else d.n end), 0)::float8 as suppressed,
      coalesce(sum(case when o.id is null then d.outside else 0 end), 0)::float8 as outside,
      (select coalesce(json_agg(json_build_object('provider', provider, 'count', n) order by n desc, provider), '[]')
        from shown) as providers,
      (select coalesce(json_agg(total order by i), '[]') from (
        select l.i, sum(l.n)::float8 as total from by_domain x, unnest(x.lacking) with ordinality as l (n, i) where l.i > 1 group by 1
      ) t) as lacking
    from by_domain d
    left join suppressions o on o.kind = 'domain' and o.value = d.domain`)
  const row = rows[0] ?? { memberships: 0, people: 0, suppressed: 0, outside: 0, providers: [], lacking: [] }
  const scale = estimated && row.memberships > 0 ? spread.members / row.memberships : 1
  const scaled = (n: number) => Math.round(n * scale)
  const by_provider = row.providers.map(({ provider, count }) => ({ provider, count: scaled(count) }))
  const named = by_provider.reduce((sum, { count }) => sum + count, 0)
  const rest = scaled(row.people) - named
  return {
    count: scaled(row.people),
    suppressed: scaled(row.suppressed),
    not_in_allowlist: scaled(row.outside),
    by_provider: rest > 0 ? [...by_provider, { provider: 'others', count: rest }] : by_provider,
    estimated,
    looked_at: row.people,
    lacking: paths.map((_, i) => row.lacking[i] ?? 0),
  }
}

interface Asked {
  paths?: readonly (readonly string[])[]
  allowlist?: string
  looked_at?: LookedAt
}

interface Row extends Record<string, unknown> {
  memberships: number
  people: number
  suppressed: number
  outside: number
  providers: { provider: string; count: number }[]
  lacking: number[]
}

/** People who are left out when it is sent, which is no fault of an installation that means it. */
export function allowlistFindings({ count, not_in_allowlist }: AudienceNumbers): Finding[] {
  if (not_in_allowlist === 0) return []
  const of =
    not_in_allowlist === count
      ? 'Nobody in the audience is'
      : `${counted(not_in_allowlist, 'recipient')} of ${count.toLocaleString('en')} are not`
  return [
    {
      code: 'not_in_allowlist',
      field: 'audience',
      detail: `${of} in RECIPIENT_ALLOWLIST: they are skipped. "*" lifts it.`,
    },
  ]
}

function lacks(path: readonly string[]): SQL {
  const [root = '', ...rest] = path
  const value =
    root === 'attributes'
      ? sql`s.attributes #>> ${sql.param(rest)}::text[]`
      : sql.raw(`s.${PLAIN.has(root) ? root : 'email'}`)
  return sql`coalesce(${value}, '') in ('', '[]', '{}')`
}

const PLAIN = new Set(['first_name', 'last_name', 'timezone', 'locale'])
