import type { Report } from '../reports/read.ts'
import type { CountedState, Reason } from '../reports/reasons.ts'
import { escapeHtml } from './layout.ts'
import { bar, number, percent, words } from './report-words.ts'

const STATES: readonly [state: 'sent' | CountedState, name: string, meaning: string][] = [
  ['sent', 'Sent', 'a server or service took it'],
  ['open', 'Still to go', 'not tried yet, or to be tried again'],
  ['failed', 'Failed', 'nobody took it'],
  ['skipped', 'Skipped', 'not tried: the recipient has left, or may not be written to'],
  ['unconfirmed', 'Unconfirmed', 'perhaps sent: the answer was lost'],
]

/** What became of the mails, and why. */
export function deliveries({ campaign, numbers, reasons }: Report): string {
  const { audience } = numbers.deliveries
  const rows = STATES.map(([state, name, meaning]) => {
    const mails = numbers.deliveries[state]
    const share = audience === 0 ? null : mails / audience
    const never =
      state === 'open' && campaign.status === 'cancelled' && mails > 0 ? '; cancelled, so they never will' : ''
    return `<tr><th scope="row">${name} <span class="soft">${meaning}${never}</span>${bar(share ?? 0)}</th>
<td class="n">${number(mails)} <span class="soft">${percent(share)}</span></td></tr>`
  })
  const why = STATES.map(([state, name]) =>
    state === 'sent' ? '' : table(name, reasons[state], numbers.deliveries[state]),
  )
  return `<section aria-labelledby="deliveries">
<h2 id="deliveries">Deliveries</h2>
<table>
<caption>Percentages are shares of the audience. Together they are all of it.</caption>
<thead><tr><th scope="col">State</th><th scope="col" class="n">Mails</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
${why.join('')}
${later(numbers)}
</section>`
}

function table(name: string, { reasons, looked_at }: { reasons: Reason[]; looked_at: number }, mails: number): string {
  if (reasons.length === 0) return ''
  const sample = name !== 'Still to go' && looked_at < mails
  const caption = sample ? `<caption>Of the latest ${number(looked_at)} of them.</caption>\n` : ''
  const rows = reasons.map(({ reason, mails, example }) => {
    const quoted = example ? `<span class="answer">${escapeHtml(example)}</span>` : ''
    return `<tr><th scope="row">${words(reason)}${quoted}</th><td class="n">${number(mails)}</td></tr>`
  })
  return `<h3>${name}: why</h3>
<table>
${caption}<thead><tr><th scope="col">Reason, and what was answered most often</th><th scope="col" class="n">Mails</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`
}

/** What came back of those that were sent. */
function later({ bounces, blocked, complaints }: Report['numbers']): string {
  const rows: [name: string, mails: number][] = [
    ['Came back: no such address', bounces.hard],
    ['Came back: not taken for now (full, too large, unreachable)', bounces.soft],
    ['Came back: refused for who sends or what is sent', blocked],
    ['Called spam by the recipient', complaints],
  ]
  const shown = rows.filter(([, mails]) => mails > 0)
  if (shown.length === 0) return ''
  return `<h3>News after sending</h3>
<table>
<thead><tr><th scope="col">What services and servers told</th><th scope="col" class="n">Mails</th></tr></thead>
<tbody>
${shown.map(([name, mails]) => `<tr><th scope="row">${name}</th><td class="n">${number(mails)}</td></tr>`).join('\n')}
</tbody>
</table>`
}
