// What somebody chose on the page, as their browser posts it.
import type { Form } from '../tracking/form.ts'

const PAUSE_DAYS = [7, 30, 90] as const
export const REASONS = ['too_many', 'not_relevant', 'never_asked', 'other'] as const

/** Fields of the form. A page that is old says what it showed, so that only what was changed on it is applied. */
export interface Choice {
  /** Lists that are ticked. */
  wanted: ReadonlySet<number>
  /** Lists that were ticked when the page was made. */
  shown_on: ReadonlySet<number>
  /** The status that the page was made for. */
  seen: string
  /** `keep` leaves a pause, or that there is none. */
  pause: 'keep' | 'end' | (typeof PAUSE_DAYS)[number]
  /** Whether all mail is to end. */
  all: boolean
  /** Whether somebody who complained says that they want mail all the same. */
  again: boolean
  /** Why they leave what they leave. */
  reason: string | null
}

/** In characters. */
const LONGEST_REASON = 500
/** Ids in one form: more than a page offers. */
const MOST_IDS = 1000

/** @returns null when it is not what the page posts */
export function readChoice(form: Form): Choice | null {
  const wanted = idsIn(form.getAll('list'))
  const shown_on = idsIn(form.getAll('on'))
  const pause = readPause(textIn(form, 'pause'))
  if (!wanted || !shown_on || pause === null) return null
  return {
    wanted,
    shown_on,
    seen: textIn(form, 'seen'),
    pause,
    all: textIn(form, 'all') === 'yes',
    again: textIn(form, 'again') === 'yes',
    reason: readReason(textIn(form, 'reason'), textIn(form, 'reason_text')),
  }
}

function textIn(form: Form, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}

function idsIn(values: unknown[]): Set<number> | null {
  if (values.length > MOST_IDS) return null
  const ids = new Set<number>()
  for (const value of values) {
    if (typeof value !== 'string' || !/^[1-9][0-9]{0,15}$/.test(value)) return null
    const id = Number(value)
    if (!Number.isSafeInteger(id)) return null
    ids.add(id)
  }
  return ids
}

function readPause(text: string): Choice['pause'] | null {
  if (text === '' || text === 'keep') return 'keep'
  if (text === 'end') return 'end'
  return PAUSE_DAYS.find((days) => String(days) === text) ?? null
}

/** Whoever leaves is never turned away for what they write: it is made to fit. */
function readReason(code: string, words: string): string | null {
  const known = REASONS.find((reason) => reason === code)
  const plain = words
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/(?!\n)[\p{Cc}\u2028\u2029]/gu, '')
    .trim()
  const own = Array.from(plain).slice(0, LONGEST_REASON).join('')
  if (own === '') return known ?? null
  return known ? `${known}: ${own}` : own
}
