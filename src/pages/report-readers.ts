import type { Report } from '../reports/read.ts'
import { counted, number, percent } from './report-words.ts'

const tile = (name: string, value: string, note = '') =>
  `<div><dt>${name}</dt><dd class="value">${value}</dd>${note && `<dd class="soft">${note}</dd>`}</div>`

/** The numbers that most people look for. */
export function glance(report: Report): string {
  const { numbers, track_opens, track_clicks } = report
  const { deliveries, rates } = numbers
  const told = numbers.delivered > 0 || numbers.bounces.hard + numbers.bounces.soft + numbers.complaints > 0
  const opened = headline(track_opens, numbers.human_unique_opens, numbers.human_opens)
  const clicked = headline(track_clicks, numbers.human_unique_clicks, numbers.human_clicks)
  return `<section aria-labelledby="glance">
<h2 id="glance">At a glance</h2>
<dl class="tiles">
${tile('Audience', number(deliveries.audience))}
${tile('Sent', number(deliveries.sent))}
${tile('Delivered', told ? number(numbers.delivered) : '–', told ? percent(part(numbers.delivered, deliveries.sent)) : 'no news of it')}
${tile('Opened by people', opened, percent(rates.human_open_rate))}
${tile('Clicked by people', clicked, percent(rates.human_click_rate))}
${tile('Unsubscribed', number(numbers.unique_unsubscribes), percent(rates.unsubscribe_rate))}
${tile('No such address', number(numbers.bounces.hard), percent(rates.bounce_rate))}
${tile('Called spam', number(numbers.complaints), percent(rates.complaint_rate))}
</dl>
<p class="soft">${denominator(report)}</p>
</section>`
}

/** What the percentages are shares of. */
function denominator({ numbers }: Report): string {
  const { deliveries, rates, delivered } = numbers
  const news =
    delivered === 0
      ? 'No service has told which of them arrived.'
      : `Services have told of only ${number(delivered)} that they arrived: too few to count from.`
  const base =
    rates.denominator === 'delivered'
      ? `Percentages are shares of the ${counted(delivered, 'mail')} delivered.`
      : `Percentages are shares of the ${counted(deliveries.sent, 'mail')} sent. ${news}`
  return `${base} Two are not: what was delivered is a share of what was sent, and addresses that do not exist are a share of what was sent or failed.`
}

const part = (some: number, whole: number) => (whole === 0 ? null : some / whole)

function headline(mode: Report['track_opens'], unique: number, all: number): string {
  if (mode === 'none') return '–'
  return number(mode === 'aggregate' ? all : unique)
}

interface Row {
  name: string
  people: [count: number | null, rate: number | null]
  all: [count: number | null, rate: number | null]
}

/** What readers did, people beside all. */
export function readers(report: Report): string {
  const { numbers, track_opens, track_clicks } = report
  const { rates } = numbers
  const opened = known(track_opens)
  const clicked = known(track_clicks)
  const rows: Row[] = [
    {
      name: 'Recipients who opened',
      people: [opened(numbers.human_unique_opens), rates.human_open_rate],
      all: [opened(numbers.unique_opens), rates.open_rate],
    },
    { name: 'Opens', people: [numbers.human_opens, null], all: [numbers.opens, null] },
    {
      name: 'Recipients who clicked',
      people: [clicked(numbers.human_unique_clicks), rates.human_click_rate],
      all: [clicked(numbers.unique_clicks), rates.click_rate],
    },
    { name: 'Clicks', people: [numbers.human_clicks, null], all: [numbers.clicks, null] },
    {
      name: 'Of those who opened, clicked',
      people: [null, rates.human_click_to_open_rate],
      all: [null, rates.click_to_open_rate],
    },
  ]
  const shown = rows.filter(({ name }) => !hidden(name, report))
  if (shown.length === 0) {
    return `<section aria-labelledby="readers">
<h2 id="readers">Readers</h2>
<p>Neither opens nor clicks of this campaign are counted: its sender chose not to.</p>
</section>`
  }
  return `<section aria-labelledby="readers">
<h2 id="readers">Readers</h2>
<table>
<caption>“People” are those held to be a person’s; “all” counts whoever it was: mail programs that load pictures in advance, and security scanners that follow every link.</caption>
<thead><tr><th scope="col">What</th><th scope="col" class="n">People</th><th scope="col" class="n">All</th></tr></thead>
<tbody>
${shown.map(({ name, people, all }) => `<tr><th scope="row">${name}</th>${cell(people)}${cell(all)}</tr>`).join('\n')}
</tbody>
</table>
${mode(report)}
</section>`
}

/** What is not tracked has no row; who did it, none where that is not kept. */
function hidden(name: string, { track_opens, track_clicks }: Report): boolean {
  const opens = track_opens === 'none'
  const clicks = track_clicks === 'none'
  if (name.startsWith('Of those')) return track_opens !== 'individual' || track_clicks !== 'individual'
  return /open/i.test(name) ? opens : clicks
}

const known = (mode: Report['track_opens']) => (value: number) => (mode === 'aggregate' ? null : value)

function cell([count, rate]: [count: number | null, rate: number | null]): string {
  if (count === null) return `<td class="n">${percent(rate)}</td>`
  return `<td class="n">${number(count)}${rate === null ? '' : ` <span class="soft">${percent(rate)}</span>`}</td>`
}

function mode({ track_opens, track_clicks }: Report): string {
  const said = (what: string, mode: Report['track_opens']) => {
    if (mode === 'none') return `${what} are not counted: the sender chose not to.`
    return mode === 'aggregate'
      ? `${what} are counted without saying who: how many recipients they are of is not known.`
      : ''
  }
  const notes = [said('Opens', track_opens), said('Clicks', track_clicks)].filter(Boolean)
  return notes.length > 0 ? `<p class="soft">${notes.join(' ')}</p>` : ''
}
