import type { Report } from '../reports/read.ts'
import type { Bar } from '../reports/series.ts'
import { day, hour, number } from './report-words.ts'

interface Measure {
  name: 'Opens' | 'Clicks'
  all: 'opens' | 'clicks'
  people: 'human_opens' | 'human_clicks'
}

const MEASURES: readonly Measure[] = [
  { name: 'Opens', all: 'opens', people: 'human_opens' },
  { name: 'Clicks', all: 'clicks', people: 'human_clicks' },
]

/** Opens and clicks over time: by hour at first, then by day. */
export function charts({ series, track_opens, track_clicks }: Report): string {
  if (!series) return ''
  const measures = MEASURES.filter(({ all }) => (all === 'opens' ? track_opens : track_clicks) !== 'none')
  if (measures.length === 0) return ''
  const { hours, days, later } = series
  const nothing = [...hours, ...days].every(({ opens, clicks }) => opens + clicks === 0)
  const after =
    later.opens + later.clicks > 0
      ? `<p class="soft">After these 60 days: ${number(later.opens)} opens, ${number(later.clicks)} clicks.</p>`
      : ''
  return `<section aria-labelledby="time">
<h2 id="time">Over time</h2>
${
  nothing
    ? '<p>Nobody has opened it or clicked yet.</p>'
    : `<p class="soft"><svg class="key" viewBox="0 0 1 1" aria-hidden="true"><rect class="people" width="1" height="1"/></svg> people
<svg class="key" viewBox="0 0 1 1" aria-hidden="true"><rect class="others" width="1" height="1"/></svg> machines, and what cannot be told</p>
<h3>The first 48 hours, by hour</h3>
${panels(hours, measures, hour)}
${days.length > 0 ? `<h3>By day</h3>\n${panels(days, measures, day)}\n${after}` : ''}`
}
</section>`
}

function panels(bars: readonly Bar[], measures: readonly Measure[], name: (at: string) => string): string {
  return `<div class="columns">
${measures.map((measure) => panel(bars, measure, name)).join('\n')}
</div>
${table(bars, measures, name)}`
}

function panel(bars: readonly Bar[], { name, all, people }: Measure, label: (at: string) => string): string {
  const most = Math.max(...bars.map((bar) => bar[all]))
  const busiest = bars.find((bar) => bar[all] === most)
  const said =
    most === 0 || !busiest
      ? `${name}: none`
      : `${name}: most at ${label(busiest.at)}, ${number(most)}, of which ${number(busiest[people])} by people. The table below has all of them.`
  const drawn = bars
    .filter((bar) => bar[all] > 0)
    .map((bar) => {
      const x = bars.indexOf(bar) + 0.1
      const height = (bar[all] / most) * 100
      const human = (bar[people] / most) * 100
      const rect = (kind: string, y: number, tall: number) =>
        `<rect class="${kind}" x="${x.toFixed(1)}" y="${y.toFixed(2)}" width=".8" height="${tall.toFixed(2)}"/>`
      return rect('others', 100 - height, height - human) + rect('people', 100 - human, human)
    })
  const [first] = bars
  const last = bars.at(-1)
  return `<figure>
<figcaption>${name}, at most ${number(most)}</figcaption>
<svg class="chart" role="img" aria-label="${said}" viewBox="0 0 ${bars.length} 100" preserveAspectRatio="none">${drawn.join('')}</svg>
<div class="axis" aria-hidden="true"><span>${first ? label(first.at) : ''}</span><span>${last ? label(last.at) : ''}</span></div>
</figure>`
}

/** The same for who cannot see it, or wants to read it off. */
function table(bars: readonly Bar[], measures: readonly Measure[], label: (at: string) => string): string {
  const rows = bars
    .filter(({ opens, clicks }) => opens + clicks > 0)
    .map((bar) => {
      const cells = measures.map(
        ({ all, people }) => `<td class="n">${number(bar[people])}</td><td class="n">${number(bar[all])}</td>`,
      )
      return `<tr><th scope="row">${label(bar.at)}</th>${cells.join('')}</tr>`
    })
  const heads = measures.map(
    ({ name }) => `<th scope="col" class="n">${name} by people</th><th scope="col" class="n">${name}</th>`,
  )
  return `<details>
<summary>The same as a table</summary>
<table><thead><tr><th scope="col">From</th>${heads.join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table>
</details>`
}
