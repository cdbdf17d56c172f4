import { Problem } from '../http/problem.ts'
import type { Services } from '../http/services.ts'
import { canonicalLocale } from '../subscribers/place.ts'
import { countSignup } from './limits.ts'
import type { GivenSignup } from './read-request.ts'
import { findPublicLists, type PublicList, receiveSignup } from './receive.ts'
import { checkSignup, type SignupFields } from './schema.ts'
import { settleSignup } from './settle.ts'
import { askTurnstile } from './turnstile.ts'
import type { Visitor } from './visitor.ts'

/** A sign-up that was taken. */
export interface Taken {
  fields: SignupFields
  lists: PublicList[]
  /** Settles it; to be done after the answer. Null for what is only answered. */
  settle: (() => Promise<void>) | null
}

/**
 * Takes a sign-up from anybody: checks it, counts it against the limits and writes it down. Whether the address is known is
 * looked at only when it is settled.
 *
 * @throws {Problem} validation_failed, not_found, challenge_failed, challenge_unavailable, too_many_requests
 */
export async function takeSignup(
  s: Services,
  { given, honeypot, challenge }: GivenSignup,
  visitor: Visitor,
): Promise<Taken> {
  const checked = checkSignup(given)
  if ('errors' in checked) {
    const [first] = checked.errors
    throw new Problem('validation_failed', first ? `${first.field} ${first.detail}` : 'The form is not complete.', {
      errors: checked.errors,
    })
  }
  const { fields } = checked
  const { email, list_ids } = fields
  if (honeypot !== '') {
    const lists = await findPublicLists(s.db, list_ids)
    if (!lists) throw noSuchList()
    return { fields, lists, settle: null }
  }
  if (s.turnstile) {
    const result = await askTurnstile(s.turnstile, challenge, visitor.client)
    if (result === 'refused') throw new Problem('challenge_failed', 'Solve the challenge, and send its answer along.')
    if (result === 'unknown') {
      throw new Problem('challenge_unavailable', 'The challenge cannot be checked just now. Try again shortly.', {
        headers: { 'retry-after': '30' },
      })
    }
  }
  const wait = await countSignup(s, visitor.client, email)
  if (wait !== null) {
    throw new Problem('too_many_requests', 'There were too many sign-ups from this network or for this address.', {
      headers: { 'retry-after': String(wait) },
    })
  }
  const received = await receiveSignup(s.db, {
    ...fields,
    locale: fields.locale ?? firstLanguage(visitor.accept_language),
    source: fields.source ?? pageOf(visitor.referer) ?? 'sign-up form',
    country: visitor.country,
  })
  if (!received) throw noSuchList()
  return { fields, lists: received.lists, settle: () => settleSignup(s, received.id) }
}

const noSuchList = () => new Problem('not_found', 'There is no such list, or it takes no sign-ups.')

/** The first tag of an Accept-Language header, which browsers put first. */
const firstLanguage = (header: string | null) => canonicalLocale((header ?? '').split(/[,;]/, 1)[0]?.trim() ?? '')

/** A page's address without query and fragment, which may hold what is nobody's business. */
function pageOf(referer: string | null): string | null {
  if (referer === null || !URL.canParse(referer)) return null
  const { origin, pathname } = new URL(referer)
  return `${origin}${pathname}`.slice(0, 200)
}
