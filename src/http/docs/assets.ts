// Style and script of the API reference, served beside it so that its policy can forbid everything inline.

export const STYLE = `
:root { color-scheme: light dark; --page: #ffffff; --side: #f5f6f8; --text: #1b2430; --soft: #56606e; --line: #dfe3e8; --code: #f2f4f7; --act: #1d4ed8;
  --get: #0f6b46; --post: #1d4ed8; --put: #92400e; --patch: #92400e; --delete: #b3201f }
@media (prefers-color-scheme: dark) { :root { --page: #12161d; --side: #191f29; --text: #e8ebf0; --soft: #a5afbd; --line: #2d3644; --code: #1d2430; --act: #8ab4ff;
  --get: #5fd6a1; --post: #8ab4ff; --put: #f3b562; --patch: #f3b562; --delete: #ff8f8a } }
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
.reference { display: grid; grid-template-columns: 18rem minmax(0, 1fr) }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.6 system-ui, sans-serif }
a { color: var(--act); text-underline-offset: .15em }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
.skip { position: absolute; left: -999rem } .skip:focus { left: 1rem; top: 1rem; background: var(--page); padding: .5rem; z-index: 1 }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.25rem 1rem 3rem; background: var(--side); border-right: 1px solid var(--line) }
nav h2 { margin: 1.25rem 0 .25rem; font-size: .8125rem; letter-spacing: .04em; text-transform: uppercase; color: var(--soft) }
nav ul { list-style: none; margin: 0; padding: 0 }
nav li a { display: flex; gap: .5rem; align-items: baseline; padding: .25rem .375rem; border-radius: .375rem; color: var(--text); text-decoration: none; font-size: .9375rem; line-height: 1.35 }
nav li a:hover { background: var(--code) }
nav .method { flex: none; width: 3.4rem; font-size: .6875rem }
.brand { margin: 0 0 1rem; font-weight: 700 } .brand a { color: inherit; text-decoration: none }
main { padding: 2rem clamp(1rem, 4vw, 4rem) 6rem; max-width: 64rem }
h1 { margin: 0 0 1rem; font-size: 2rem; line-height: 1.2 }
tr:target { background: var(--code) }
.tag > h2 { margin: 3.5rem 0 0; padding-bottom: .5rem; border-bottom: 1px solid var(--line); font-size: 1.5rem }
article { margin-top: 2.5rem }
article h3 { margin: 0; font-size: 1.1875rem } article h3 a { color: inherit; text-decoration: none } article h3 a:hover { text-decoration: underline }
h4 { margin: 1.25rem 0 .375rem; font-size: .875rem; color: var(--soft) }
p { margin: .5rem 0 } .path { margin: .375rem 0 .75rem; overflow-wrap: anywhere }
code, pre, textarea, output { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
code { background: var(--code); padding: .1em .3em; border-radius: .25rem }
pre { margin: 0; padding: .875rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--code); border: 1px solid var(--line); border-radius: .5rem } pre code { padding: 0; background: none; font-size: 1em }
.method { font: 700 .8125rem ui-monospace, Menlo, Consolas, monospace }
.method.get { color: var(--get) } .method.post { color: var(--post) } .method.put { color: var(--put) } .method.patch { color: var(--patch) } .method.delete { color: var(--delete) }
.scroll { overflow-x: auto } table { width: 100%; border-collapse: collapse; font-size: .9375rem }
th, td { padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: 400 } th { width: 18rem } td p { margin: .125rem 0 0; color: var(--soft) }
.needed { color: var(--delete); font-size: .8125rem } .type { overflow-wrap: anywhere } .limits { color: var(--soft); font-size: .875rem }
details { margin: .25rem 0 } summary { cursor: pointer } .answer { margin: .25rem 0 }
.field { display: block; margin: .5rem 0; font-size: .875rem; color: var(--soft) }
input, textarea { display: block; width: 100%; margin-top: .125rem; padding: .5rem .625rem; border: 1px solid var(--soft); border-radius: .375rem; background: var(--page); color: var(--text); font-size: .9375rem }
button { margin-top: .5rem; min-height: 2.5rem; padding: .375rem 1.25rem; border: 0; border-radius: .375rem; background: var(--act); color: var(--page); font: 600 1rem system-ui, sans-serif; cursor: pointer }
.try { margin-top: 1rem; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem }
output { display: block; margin-top: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 24rem; overflow-y: auto }
[hidden] { display: none !important }
@media (max-width: 60rem) { .reference { display: block } nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line) } nav section { display: none } th { width: auto } }
`

export const SCRIPT = `
const find = document.getElementById('find')
const key = document.getElementById('key')
const articles = [...document.querySelectorAll('article')]

find.addEventListener('input', () => {
  const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean)
  for (const article of articles) {
    const text = article.textContent.toLowerCase()
    article.hidden = !words.every((word) => text.includes(word))
    const link = document.querySelector('nav a[href="#' + article.id + '"]')
    if (link) link.parentElement.hidden = article.hidden
  }
  for (const group of document.querySelectorAll('.tag, nav section')) {
    group.hidden = !group.querySelector('article:not([hidden]), li:not([hidden])')
  }
})

// The key stays in this page's memory: reloading forgets it.
document.addEventListener('submit', async (event) => {
  event.preventDefault()
  const form = event.target
  const output = form.querySelector('output')
  let path = form.dataset.path
  const query = new URLSearchParams()
  for (const input of form.querySelectorAll('[data-in]')) {
    if (input.dataset.in === 'path') path = path.replace('{' + input.name + '}', encodeURIComponent(input.value))
    else if (input.value !== '') query.set(input.name, input.value)
  }
  const headers = {}
  if (key.value) headers.authorization = 'Bearer ' + key.value.trim()
  const body = form.elements.body?.value
  if (body !== undefined) headers['content-type'] = 'application/json'
  output.textContent = '...'
  try {
    const response = await fetch(path + (query.size ? '?' + query : ''), { method: form.dataset.method, headers, body })
    const text = await response.text()
    let shown = text
    try { shown = JSON.stringify(JSON.parse(text), null, 2) } catch {}
    output.textContent = response.status + '\\n' + shown
  } catch (error) {
    output.textContent = String(error)
  }
})
`
