import type { Report } from '../reports/read.ts'
import { bar, country, number, words } from './report-words.ts'

const MOST = 8

type Kind = Report['numbers']['countries'][number]

/** Where readers were, and what they read with. */
export function kinds({ numbers }: Report): string {
  const tables = [
    table('Country', numbers.countries, country),
    table('Read with', numbers.clients, words),
    table('Device', numbers.devices, words),
  ].filter(Boolean)
  if (tables.length === 0) return ''
  return `<section aria-labelledby="kinds">
<h2 id="kinds">Where and with what</h2>
<p class="soft">Opens and clicks together. Gmail and Yahoo show pictures through servers of their own, which hide place and device; Apple’s often do.</p>
<div class="columns">
${tables.join('\n')}
</div>
</section>`
}

function table(title: string, rows: readonly Kind[], name: (value: string) => string): string {
  if (rows.length === 0) return ''
  const counts = rows
    .map((row) => ({
      name: row.value === null ? 'Not known' : name(row.value),
      people: row.human_opens + row.human_clicks,
      all: row.opens + row.clicks,
    }))
    .sort((a, b) => b.people - a.people || b.all - a.all)
  const rest = counts.slice(MOST)
  const shown = counts.slice(0, MOST)
  if (rest.length > 0) {
    const sum = (field: 'people' | 'all') => rest.reduce((so_far, row) => so_far + row[field], 0)
    shown.push({ name: `${number(rest.length)} others`, people: sum('people'), all: sum('all') })
  }
  const people = counts.reduce((sum, row) => sum + row.people, 0)
  const lines = shown.map(
    (row) =>
      `<tr><th scope="row">${row.name}${bar(people === 0 ? 0 : row.people / people)}</th><td class="n">${number(row.people)}</td><td class="n">${number(row.all)}</td></tr>`,
  )
  return `<div>
<table>
<thead><tr><th scope="col">${title}</th><th scope="col" class="n">People</th><th scope="col" class="n">All</th></tr></thead>
<tbody>
${lines.join('\n')}
</tbody>
</table>
</div>`
}
