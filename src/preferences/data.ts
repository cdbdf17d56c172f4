import { exportPerson } from '../exports/person.ts'
import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import { plainScreen, type Screen } from '../pages/preferences.ts'
import { erasedScreen, eraseScreen, exportScreen } from '../pages/preferences-data.ts'
import { wordsFor } from '../pages/words/choose.ts'
import type { Words } from '../pages/words/words.ts'
import { readBrand } from '../settings/brand.ts'
import { deleteSubscriber } from '../subscribers/delete.ts'
import { verifyTimed } from '../tokens/timed.ts'
import { readPreferences } from './state.ts'
import { answerBroken, answerGone, answerScreen, orLater, type Visit } from './visit.ts'

/** What a link from a mail about one's data is for. */
export interface OwnData {
  purpose: 'export data' | 'erase data'
  /** The question, which a GET shows. */
  screen: (words: Words) => Screen
  /** What a POST does. @returns null when there is nobody (any more) */
  act: (s: Services, subscriber_id: number) => Promise<((words: Words) => Screen) | Response | null>
}

/** Everything that is kept of them, as a file. */
export const EXPORT: OwnData = {
  purpose: 'export data',
  screen: ({ data }) => exportScreen(data),
  async act({ db }, subscriber_id) {
    const person = await exportPerson(db, subscriber_id)
    if (!person) return null
    return new Response(`${JSON.stringify(person, null, 2)}\n`, {
      headers: {
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Disposition': 'attachment; filename="my-data.json"',
        'Cache-Control': 'no-store',
        'X-Robots-Tag': 'noindex',
      },
    })
  },
}

export const ERASE: OwnData = {
  purpose: 'erase data',
  screen: ({ data }) => eraseScreen(data),
  async act({ db, hash_key }, subscriber_id) {
    const erased = await deleteSubscriber(db, hash_key, subscriber_id)
    return erased ? ({ data }) => erasedScreen(data) : null
  },
}

/** `/data/<export or erase>/<token>`: GET shows what a press of the button does, POST does it. */
export async function ownData(s: Services, visit: Visit, { purpose, screen, act }: OwnData): Promise<Response> {
  const access = await verifyTimed(s.signing_keys, purpose, visit.token)
  if (!access) return answerBroken(visit)
  return orLater(visit, async () => {
    const { id: subscriber_id, expires_at } = access
    const [person, brand] = await Promise.all([readPreferences(s.db, subscriber_id), readBrand(s.db)])
    const words = wordsFor(visit, person?.locale)
    if (expires_at <= s.now()) {
      return answerScreen(words, brand, 410, plainScreen(words.data.expired_title, words.data.expired))
    }
    if (!person) return answerGone(visit, brand)
    if (visit.request.method !== 'POST') return answerScreen(words, brand, 200, screen(words))
    const done = await act(s, subscriber_id)
    log('own_data', { request_id: visit.request_id, subscriber_id, purpose, found: done !== null })
    if (!done) return answerGone(visit, brand)
    return done instanceof Response ? done : answerScreen(words, brand, 200, done(words))
  })
}
