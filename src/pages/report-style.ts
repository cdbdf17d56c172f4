import { PALETTE } from './layout.ts'

/** One column on a telephone, and as wide as can be read elsewhere; the same by night and on paper. */
export const REPORT_STYLE = `
${PALETTE}
:root { --other: #9ca3af }
@media (prefers-color-scheme: dark) { :root { --other: #7d8796 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 60rem; margin: 0 auto; padding: 1rem }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2 }
h2 { margin: 0 0 .75rem; font-size: 1.25rem; line-height: 1.25 }
h3 { margin: 1.25rem 0 .5rem; font-size: 1rem }
p { margin: 0 0 .75rem }
a { color: var(--act) }
a:focus-visible, summary:focus-visible, iframe:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
header, section { margin-bottom: 1rem; padding: 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem }
section > :last-child, header > :last-child { margin-bottom: 0 }
.sender { margin-bottom: .25rem; color: var(--soft); font-weight: 600 }
.subject { margin: .25rem 0 .75rem; font-size: 1.125rem }
.soft, figcaption, summary, .axis, footer { color: var(--soft); font-size: .9375rem }
.status { display: inline-block; padding: 0 .625rem; border: 1px solid currentColor; border-radius: 1rem; font-weight: 600 }
.notice { padding: .625rem .875rem; border-left: 4px solid var(--act); background: var(--page) }
progress { display: block; width: 100%; height: 1rem; margin-bottom: .5rem; accent-color: var(--act) }
dl.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(max(8.5rem, 22%), 1fr)); gap: .75rem; margin: 0 0 .75rem }
dl.tiles div { padding: .625rem .875rem; border: 1px solid var(--line); border-radius: .5rem }
dl.tiles dt { color: var(--soft); font-size: .9375rem }
dl.tiles dd { margin: 0; font-variant-numeric: tabular-nums }
dl.tiles dd.value { font-size: 1.5rem; font-weight: 600; line-height: 1.3 }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
caption { padding-bottom: .5rem; color: var(--soft); font-size: .9375rem; text-align: left }
th, td { padding: .375rem .375rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: 400 }
thead th { color: var(--soft); font-size: .875rem; vertical-align: bottom }
th:first-child, td:first-child { padding-left: 0 }
th:last-child, td:last-child { padding-right: 0 }
th.n, td.n { text-align: right; overflow-wrap: normal }
td.n .soft { display: block; white-space: nowrap }
.answer { display: block; margin-top: .125rem; color: var(--soft); font: .8125rem/1.4 ui-monospace, monospace }
.address { display: block; color: var(--soft); font-size: .875rem }
.bar { display: block; margin-top: .25rem; fill: var(--act) }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr)); gap: 0 2rem }
figure { margin: 0 0 1rem }
.chart { display: block; width: 100%; height: 8rem; border-bottom: 1px solid var(--soft) }
.people { fill: var(--act) }
.others { fill: var(--other) }
.key { display: inline-block; width: .75rem; height: .75rem; vertical-align: -.0625rem }
.axis { display: flex; justify-content: space-between; gap: 1rem; font-size: .875rem }
details { margin-bottom: 1rem }
details th { overflow-wrap: normal }
summary { cursor: pointer }
iframe { display: block; width: 100%; height: 40rem; border: 1px solid var(--line); border-radius: .5rem; background: #ffffff; color-scheme: light; resize: vertical }
footer { padding: 0 1.25rem 1rem }
@media (max-width: 30rem) { main { padding: .5rem } header, section { padding: 1rem .875rem } iframe { height: 30rem } footer { padding: 0 .875rem 1rem } }
@media print {
  :root { color-scheme: light; --page: #ffffff; --card: #ffffff; --text: #000000; --soft: #374151; --line: #9ca3af; --act: #1d4ed8; --other: #9ca3af }
  html { font-size: .75rem }
  body { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  main { max-width: none; padding: 0 }
  header, section { border: 0; border-radius: 0; padding: .5rem 0 }
  h2, h3 { break-after: avoid }
  tr, figure, dl.tiles div, iframe { break-inside: avoid }
  details:not([open]), .screen { display: none }
}
`
