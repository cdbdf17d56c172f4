import type { Report } from '../reports/read.ts'
import { escapeHtml } from './layout.ts'
import { bar, counted, number, percent } from './report-words.ts'

const MOST = 20

/** The links that were followed most. */
export function links({ numbers, track_clicks }: Report): string {
  if (track_clicks === 'none' || numbers.links.length === 0) return ''
  const people = numbers.links.reduce((sum, { human_clicks }) => sum + human_clicks, 0)
  const ranked = [...numbers.links].sort((a, b) => b.human_clicks - a.human_clicks || b.clicks - a.clicks || a.n - b.n)
  const rows = ranked.slice(0, MOST).map(({ n, url, text, clicks, human_clicks }) => {
    const share = people === 0 ? null : human_clicks / people
    return `<tr><th scope="row">${name(text, n)}${address(url)}${bar(share ?? 0)}</th>
<td class="n">${number(human_clicks)} <span class="soft">${percent(share)}</span></td><td class="n">${number(clicks)}</td></tr>`
  })
  const more = ranked.length - MOST
  return `<section aria-labelledby="links">
<h2 id="links">Links</h2>
<table>
<caption>Clicks on each link, most first. Percentages are shares of the ${counted(people, 'click')} by people.</caption>
<thead><tr><th scope="col">Link</th><th scope="col" class="n">People</th><th scope="col" class="n">All</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
${more > 0 ? `<p class="soft">And ${counted(more, 'link')} that had fewer.</p>` : ''}
</section>`
}

const name = (text: string, n: number) => (text.trim() === '' ? `Link ${n}, without words` : escapeHtml(text))

/** Leads straight there, so that a look at it counts as nobody's click. With variables it leads nowhere by itself. */
function address(url: string): string {
  const shown = escapeHtml(url)
  const leads = /^https?:\/\//i.test(url) && !url.includes('{{')
  return leads
    ? `<a class="address" href="${shown}" rel="noopener noreferrer">${shown}</a>`
    : `<span class="address">${shown}</span>`
}
