import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import type { Brand } from '../pages/brand.ts'
import { NO_BRAND } from '../pages/look.ts'
import { maskEmail } from '../pages/mask.ts'
import {
  oldLinkScreen,
  plainScreen,
  preferencesScreen,
  refusedScreen,
  type Screen,
  savedScreen,
} from '../pages/preferences.ts'
import { wordsFor } from '../pages/words/choose.ts'
import { fill, type Words } from '../pages/words/words.ts'
import { readBrand } from '../settings/brand.ts'
import { ANYBODY, NOBODY } from '../tokens/nobody.ts'
import { type Recipient, verifyRecipient } from '../tokens/recipient.ts'
import { readForm } from '../tracking/form.ts'
import { optoutsOf } from '../tracking/optouts.ts'
import { type DataRequest, requestData } from './ask.ts'
import { readChoice } from './choice.ts'
import { leaveOrPause } from './leave.ts'
import { PREFERENCE_PAGE, type Saved, savePreferences } from './save.ts'
import { isOn, type OfferedList, type Preferences, readPreferences } from './state.ts'
import { answerBroken, answerGone, answerScreen, orLater, samePage, type Visit } from './visit.ts'

/** Bytes of the form: two fields for each list, and a reason in any script. */
const MOST = 65_536

/** `GET /preferences/<preferences token>`: what somebody gets. It changes nothing: scanners follow links. */
export async function showPreferences(s: Services, visit: Visit): Promise<Response> {
  const recipient = await recipientOf(s, visit)
  if (!recipient) return answerBroken(visit)
  const without = answerWithoutData(visit, recipient)
  if (without) return without
  return orLater(visit, async () => {
    const { subscriber_id } = recipient
    const [found, brand, optouts] = await Promise.all([
      readPreferences(s.db, subscriber_id),
      readBrand(s.db),
      // Without Redis the page shows what SQL knows; nothing can be turned on then.
      optoutsOf(s.redis, s.redis_keys, [subscriber_id]).catch(() => new Map<number, number>()),
    ])
    if (!found) return answerGone(visit, brand)
    const words = wordsFor(visit, found.locale)
    const lists = found.lists.map((list) => ({ ...list, on: isOn(found, list), wording: wordingOf(list, words) }))
    const leaving = (optouts.get(subscriber_id) ?? 0) > found.known_optout_at
    return answerScreen(words, brand, 200, preferencesScreen({ ...found, lists, leaving }, words))
  })
}

/** `POST` to the same address, from the page's own forms. */
export async function changePreferences(s: Services, visit: Visit): Promise<Response> {
  const recipient = await recipientOf(s, visit)
  if (!recipient) return answerBroken(visit)
  if (recipient.subscriber_id === NOBODY) return answerTest(visit)
  const form = await readForm(visit.request, MOST)
  return orLater(visit, async () => {
    if (recipient.state === 'redirect-only') return leaveByOldLink(s, visit, recipient, form?.get('all') === 'yes')
    const found = await readPreferences(s.db, recipient.subscriber_id)
    const brand = await readBrand(s.db)
    if (!found) return answerGone(visit, brand)
    const words = wordsFor(visit, found.locale)
    const ask = form?.get('ask')
    if (ask === 'export' || ask === 'erase') {
      const asked = await requestData(s, found, { what: ask, campaign_id: recipient.campaign_id, brand, words })
      return answerScreen(words, brand, ...askedScreen(asked, found, words, samePage(visit, words)))
    }
    const choice = form && readChoice(form)
    if (!choice) return refuse(visit, words, brand, 400, words.preferences.unclear)
    const saving = { ...s, country: visit.country, wordingOf: (list: OfferedList) => wordingOf(list, words) }
    const saved = await savePreferences(saving, found, choice)
    return answerSaved(visit, words, brand, found, saved)
  })
}

async function recipientOf({ signing_keys }: Services, { token }: Visit): Promise<Recipient | null> {
  const recipient = await verifyRecipient(signing_keys, 'preferences', token)
  return recipient?.subscriber_id === ANYBODY ? null : recipient
}

/** What a person agrees to who ticks a list, as they read it. */
const wordingOf = ({ name, consent_wording }: OfferedList, { preferences }: Words) =>
  consent_wording ?? fill(preferences.consent, { list: name })

function answerTest(visit: Visit): Promise<Response> {
  const words = wordsFor(visit)
  const { test_title, test } = words.preferences
  return answerScreen(words, NO_BRAND, 200, plainScreen(test_title, test))
}

/** A test mail belongs to nobody; and with a key that is retired, whoever may have it learns nothing of anybody. */
function answerWithoutData(visit: Visit, { subscriber_id, state }: Recipient): Promise<Response> | null {
  if (subscriber_id === NOBODY) return answerTest(visit)
  if (state !== 'redirect-only') return null
  const words = wordsFor(visit)
  return answerScreen(words, NO_BRAND, 200, oldLinkScreen(words.preferences))
}

/** Retired keys still unsubscribe, as they do on the unsubscribe page. */
async function leaveByOldLink(
  s: Services,
  visit: Visit,
  { subscriber_id }: Recipient,
  all: boolean,
): Promise<Response> {
  const words = wordsFor(visit)
  if (!all) return refuse(visit, words, NO_BRAND, 400, words.preferences.unclear)
  const left = await leaveOrPause(s.db, subscriber_id, {
    ...{ list_ids: [], all, pause: 'keep', reason: null },
    ...{ source: PREFERENCE_PAGE, country: visit.country },
  })
  if (!left) return answerGone(visit, NO_BRAND)
  const { saved_title, all_off } = words.preferences
  return answerScreen(words, NO_BRAND, 200, plainScreen(saved_title, all_off))
}

const refuse = (visit: Visit, words: Words, brand: Brand, status: number, text: string) =>
  answerScreen(
    words,
    brand,
    status,
    refusedScreen(words.preferences.nothing_title, text, words.preferences, samePage(visit, words)),
  )

function answerSaved(visit: Visit, words: Words, brand: Brand, { timezone, subscriber_id }: Preferences, saved: Saved) {
  const { request_id } = visit
  log('preferences_changed', { request_id, subscriber_id, outcome: saved.kind })
  const w = words.preferences
  const back = samePage(visit, words)
  if (saved.kind === 'gone') return answerGone(visit, brand)
  if (saved.kind === 'too_soon') {
    const screen = refusedScreen(w.too_soon_title, w.too_soon, w, back)
    return answerScreen(words, brand, 503, screen, { 'Retry-After': '60' })
  }
  if (saved.kind !== 'saved') return refuse(visit, words, brand, saved.kind === 'stale' ? 409 : 422, w[saved.kind])
  const names = (lists: readonly OfferedList[]) => lists.map(({ name }) => name)
  const { on, off, not_on, all, pause } = saved
  const view = { on: names(on), off: names(off), not_on: names(not_on), all, pause, timezone }
  return answerScreen(words, brand, 200, savedScreen(view, words, back))
}

function askedScreen(
  asked: DataRequest,
  { email }: Preferences,
  { data, preferences }: Words,
  back: string,
): [status: number, screen: Screen] {
  const refused = (title: string, text: string) => refusedScreen(title, text, preferences, back)
  if (asked === 'limit') return [429, refused(data.limit_title, data.limit)]
  if (asked === 'unreachable') return [200, refused(data.unreachable_title, data.unreachable)]
  return [200, plainScreen(data.asked_title, fill(data.asked, { address: maskEmail(email) }))]
}
