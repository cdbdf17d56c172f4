// The page on which somebody chooses what they get, and what it says afterwards. It works without a script and with styles off.
import { escapeHtml } from './layout.ts'
import { maskEmail } from './mask.ts'
import type { PreferencesWords } from './words/preferences-words.ts'
import { fill, type Words } from './words/words.ts'

/** A page's own part. */
export interface Screen {
  /** Plain text. */
  title: string
  /** HTML. */
  body: string
}

/** A list on the page. */
export interface ListChoice {
  id: number
  name: string
  description: string | null
  /** What ticking it agrees to; shown while it is not ticked. */
  wording: string
  on: boolean
}

export interface PreferencesView {
  email: string
  status: 'active' | 'unsubscribed' | 'bounced' | 'complained'
  timezone: string | null
  paused_until: string | null
  blocked: boolean
  /** An opt-out is on its way that this page does not show yet. */
  leaving: boolean
  lists: readonly ListChoice[]
}

export function preferencesScreen(view: PreferencesView, words: Words): Screen {
  const w = words.preferences
  const address = maskEmail(view.email)
  return {
    title: w.title,
    body: `<p>${escapeHtml(fill(w.for_address, { address }))}</p>
${notices(view, w)}<form method="post">
<input type="hidden" name="seen" value="${view.status}">
${lists(view, w)}
${pause(view, words)}
${leave(w)}
<button type="submit">${escapeHtml(w.save)}</button>
</form>
<h2>${escapeHtml(words.data.title)}</h2>
<p>${escapeHtml(fill(words.data.intro, { address }))}</p>
<form method="post">
<p><button class="quiet" type="submit" name="ask" value="export">${escapeHtml(words.data.ask_export)}</button></p>
<p><button class="quiet" type="submit" name="ask" value="erase">${escapeHtml(words.data.ask_erase)}</button></p>
</form>`,
  }
}

function notices({ status, blocked, leaving }: PreferencesView, w: PreferencesWords): string {
  return [leaving && w.leaving, status !== 'active' && w[status], blocked && w.blocked]
    .filter((text) => text !== false)
    .map((text) => `<p class="notice" role="status">${escapeHtml(text)}</p>\n`)
    .join('')
}

function lists({ lists, status }: PreferencesView, w: PreferencesWords): string {
  const choices = lists.map(({ id, name, description, wording, on }) => {
    const soft = [description, on ? null : wording].filter((text) => text !== null)
    const notes = soft.map((text) => `\n<span class="soft">${escapeHtml(text)}</span>`).join('')
    const box = `<input type="checkbox" name="list" value="${id}"${on ? ' checked' : ''}>`
    const shown = on ? `<input type="hidden" name="on" value="${id}">\n` : ''
    return `${shown}<label class="choice">${box}\n<strong>${escapeHtml(name)}</strong>${notes}</label>`
  })
  const again =
    status === 'complained'
      ? `\n<label class="choice"><input type="checkbox" name="again" value="yes">\n<span>${escapeHtml(w.again)}</span></label>`
      : ''
  return `<fieldset>
<legend>${escapeHtml(w.lists)}</legend>
${choices.length > 0 ? choices.join('\n') + again : `<p>${escapeHtml(w.no_lists)}</p>`}
</fieldset>`
}

function pause({ paused_until, timezone }: PreferencesView, words: Words): string {
  const w = words.preferences
  const date = paused_until === null ? null : dateOf(paused_until, timezone, words.language)
  const options: [value: string, text: string][] = [
    ['keep', date === null ? w.pause_none : fill(w.pause_keep, { date })],
    ...(date === null ? [] : [['end', w.pause_end] satisfies [string, string]]),
    ['7', w.pause_week],
    ['30', w.pause_month],
    ['90', w.pause_quarter],
  ]
  const choices = options.map(([value, text]) => {
    const checked = value === 'keep' ? ' checked' : ''
    return `<label class="choice"><input type="radio" name="pause" value="${value}"${checked}>\n<span>${escapeHtml(text)}</span></label>`
  })
  return `<fieldset>
<legend>${escapeHtml(w.pause)}</legend>
<p class="soft">${escapeHtml(w.pause_help)}</p>
${choices.join('\n')}
</fieldset>`
}

function leave(w: PreferencesWords): string {
  const reasons: [value: string, text: string][] = [
    ['', w.reason_none],
    ['too_many', w.reason_too_many],
    ['not_relevant', w.reason_not_relevant],
    ['never_asked', w.reason_never_asked],
    ['other', w.reason_other],
  ]
  const options = reasons.map(([value, text]) => `<option value="${value}">${escapeHtml(text)}</option>`)
  return `<fieldset>
<legend>${escapeHtml(w.all)}</legend>
<label class="choice"><input type="checkbox" name="all" value="yes">
<strong>${escapeHtml(w.all_choice)}</strong>
<span class="soft">${escapeHtml(w.all_help)}</span></label>
<label for="reason">${escapeHtml(w.reason)}</label>
<select id="reason" name="reason">
${options.join('\n')}
</select>
<label for="reason_text">${escapeHtml(w.reason_text)}</label>
<textarea id="reason_text" name="reason_text" rows="3" maxlength="500"></textarea>
</fieldset>`
}

/** What a choice has changed; lists by their names. */
export interface SavedView {
  on: readonly string[]
  off: readonly string[]
  not_on: readonly string[]
  all: boolean
  pause: { until: string | null } | null
  timezone: string | null
}

export function savedScreen({ on, off, not_on, all, pause, timezone }: SavedView, words: Words, back: string): Screen {
  const w = words.preferences
  const changed = [
    ...(all ? [w.all_off] : []),
    ...on.map((list) => fill(w.now_on, { list })),
    ...off.map((list) => fill(w.now_off, { list })),
    ...(pause === null
      ? []
      : [pause.until === null ? w.resumed : fill(w.paused, { date: dateOf(pause.until, timezone, words.language) })]),
  ]
  const failed = not_on.map((list) => fill(w.not_on, { list }))
  const nothing = changed.length === 0
  const said = nothing && failed.length === 0 ? [w.nothing] : changed
  return {
    title: nothing ? w.nothing_title : w.saved_title,
    body: `${said.map((text) => `<p role="status">${escapeHtml(text)}</p>\n`).join('')}${failed
      .map((text) => `<p role="alert">${escapeHtml(text)}</p>\n`)
      .join('')}${backLink(w, back)}`,
  }
}

/** Nothing was changed, and why. */
export const refusedScreen = (title: string, text: string, w: PreferencesWords, back: string): Screen => ({
  title,
  body: `<p role="alert">${escapeHtml(text)}</p>\n${backLink(w, back)}`,
})

/** A page that says one thing and leads nowhere. */
export const plainScreen = (title: string, text: string): Screen => ({ title, body: `<p>${escapeHtml(text)}</p>` })

/** For the token of a retired key, which shows nobody's data. */
export const oldLinkScreen = (w: PreferencesWords): Screen => ({
  title: w.old_title,
  body: `<p>${escapeHtml(w.old)}</p>
<form method="post">
<button type="submit" name="all" value="yes">${escapeHtml(w.old_leave)}</button>
</form>`,
})

const backLink = (w: PreferencesWords, back: string) => `<p><a href="${escapeHtml(back)}">${escapeHtml(w.back)}</a></p>`

/** A day where the reader is, as far as that is known. */
function dateOf(time: string, timezone: string | null, language: string): string {
  const format = (timeZone: string) =>
    new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone }).format(new Date(time))
  try {
    return format(timezone ?? 'UTC')
  } catch {
    return format('UTC')
  }
}
