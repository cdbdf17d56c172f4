import type { Services } from '../http/services.ts'
import type { SubscriberRow } from '../subscribers/row.ts'
import { writeSubscribers } from '../subscribers/write.ts'
import { optoutsOf } from '../tracking/optouts.ts'
import type { Choice } from './choice.ts'
import { leaveOrPause } from './leave.ts'
import { isOn, type OfferedList, type Preferences } from './state.ts'

/** `consents.source` of what is chosen on the page. */
export const PREFERENCE_PAGE = 'preference page'

/** What became of a choice. All but `saved` have changed nothing. */
export type Saved =
  | {
      kind: 'saved'
      on: OfferedList[]
      off: OfferedList[]
      /** Wanted, but an opt-out from meanwhile is newer. */
      not_on: OfferedList[]
      all: boolean
      /** Null when the choice was not about a pause. */
      pause: { until: string | null } | null
    }
  | { kind: 'gone' | 'unknown_list' | 'again_needed' | 'stale' | 'too_soon' }

interface Saving extends Pick<Services, 'db' | 'hash_key' | 'redis' | 'redis_keys'> {
  /** Where they are; ISO 3166-1 alpha-2. */
  country: string | null
  /** What somebody agrees to who ticks a list. */
  wordingOf: (list: OfferedList) => string
}

/**
 * Applies what was changed on the page, and nothing else: what it showed and still shows says nothing about an opt-out from
 * meanwhile. Leaving comes first, so that whatever fails after it leaves somebody with less mail and not with more.
 *
 * Nothing is turned on by a page that is older than an opt-out from all mail, or while one by link is on its way to SQL: a
 * consent of now would overrule it, whatever it was about. Whoever comes back gets what they tick and nothing they had before.
 *
 * @param p - read after the form had come
 * @throws when Redis cannot be asked about opt-outs and something is to be turned on
 */
export async function savePreferences(s: Saving, p: Preferences, choice: Choice): Promise<Saved> {
  const offered = new Map(p.lists.map((list) => [list.id, list]))
  const listsOf = (ids: readonly number[]) => ids.flatMap((id) => offered.get(id) ?? [])
  const ticked = choice.all ? [] : [...choice.wanted].filter((id) => !choice.shown_on.has(id))
  if (ticked.some((id) => !offered.has(id))) return { kind: 'unknown_list' }
  const joining = listsOf(ticked).filter((list) => !isOn(p, list))
  if (joining.length > 0) {
    if (p.status !== 'active' && choice.seen !== p.status) return { kind: 'stale' }
    if (p.status === 'complained' && !choice.again) return { kind: 'again_needed' }
    const optouts = await optoutsOf(s.redis, s.redis_keys, [p.subscriber_id])
    if ((optouts.get(p.subscriber_id) ?? 0) > p.known_optout_at) return { kind: 'too_soon' }
  }
  const leaving = [...choice.shown_on].filter((id) => !choice.wanted.has(id))
  const list_ids = choice.all ? [] : leaving
  const pause = choice.all ? 'keep' : choice.pause === 'end' ? null : choice.pause
  let paused_until: string | null = null
  if (choice.all || list_ids.length > 0 || pause !== 'keep') {
    const { reason } = choice
    const left = await leaveOrPause(s.db, p.subscriber_id, {
      ...{ list_ids, all: choice.all, pause, reason },
      ...{ source: PREFERENCE_PAGE, country: s.country },
    })
    if (!left) return { kind: 'gone' }
    paused_until = left.paused_until
  }
  const joined = await join(s, p, joining)
  if (!joined) return { kind: 'gone' }
  return {
    kind: 'saved',
    on: joining.filter((list) => joined.has(list.id)),
    off: choice.all ? [] : listsOf(leaving),
    not_on: joining.filter((list) => !joined.has(list.id)),
    all: choice.all,
    pause: pause === 'keep' ? null : { until: paused_until },
  }
}

/** @returns the lists that are on; null when the person is gone */
async function join(s: Saving, p: Preferences, joining: readonly OfferedList[]): Promise<Set<number> | null> {
  const rows = joining.map(
    (list): SubscriberRow => ({
      id: p.subscriber_id,
      list_ids: [list.id],
      consented_at: p.now,
      consent_source: PREFERENCE_PAGE,
      consent_wording: s.wordingOf(list),
      ...(s.country === null ? {} : { consent_country: s.country }),
      // Who never left is no returner.
      ...(p.status === 'active' && list.standing === null ? {} : { resubscribe: true }),
    }),
  )
  const answers = await writeSubscribers(s.db, s.hash_key, 'update', rows)
  if (answers.some(({ refusal }) => refusal === 'unknown_subscriber')) return null
  return new Set(
    joining
      .filter((list, n) => {
        const answer = answers[n]
        return answer && answer.outcome !== 'refused' && answer.kept === null && !answer.kept_lists.includes(list.id)
      })
      .map(({ id }) => id),
  )
}
