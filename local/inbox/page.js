// The inbox page: a list that refreshes itself, and one mail.

/** How often the list looks for new mail, in ms. */
const REFRESH = 2000
const PAGE = 100

const at = (id) => document.getElementById(id)
let shown = null
let part = 'html'
let oldest = null

async function load(after) {
  const params = new URLSearchParams({ limit: String(PAGE) })
  const query = at('query').value.trim()
  if (query) params.set('query', query)
  if (after) params.set('after', String(after))
  const response = await fetch(`/api/messages?${params}`)
  return response.json()
}

function row(mail) {
  const item = document.createElement('li')
  const button = document.createElement('button')
  button.type = 'button'
  button.dataset.id = String(mail.id)
  const time = new Date(mail.received_at).toLocaleTimeString()
  for (const [name, text] of [
    ['to', mail.to.join(', ')],
    ['time', time],
    ['subject', mail.subject || '(no subject)'],
  ]) {
    const span = document.createElement('span')
    span.className = name
    span.textContent = text
    button.append(span)
  }
  button.addEventListener('click', () => {
    // The address names the mail, so that it can be passed on and the browser's back button works.
    location.hash = String(mail.id)
  })
  item.append(button)
  return item
}

async function refresh() {
  const { total, data } = await load()
  const first = at('list').querySelector('button')?.dataset.id
  at('count').textContent = total === 1 ? '1 mail' : `${total} mails`
  // An unchanged list stays as it is: the reader's focus and place are in it.
  if (first === String(data[0]?.id) && at('list').dataset.total === String(total)) return
  at('list').dataset.total = String(total)
  at('list').replaceChildren(...data.map(row))
  oldest = data.at(-1)?.id ?? null
  at('more').hidden = data.length >= total
  mark()
}

async function more() {
  const { total, data } = await load(oldest)
  at('list').append(...data.map(row))
  oldest = data.at(-1)?.id ?? oldest
  at('more').hidden = at('list').children.length >= total || data.length === 0
}

function mark() {
  for (const button of at('list').querySelectorAll('button')) {
    button.setAttribute('aria-current', String(button.dataset.id === String(shown?.id)))
  }
}

async function open(id) {
  const response = await fetch(`/api/messages/${id}`)
  if (!response.ok) return
  shown = await response.json()
  at('subject').textContent = shown.subject || '(no subject)'
  at('parties').textContent = `${shown.from} → ${shown.to.join(', ')} · ${new Date(shown.received_at).toLocaleString()}`
  at('mail').hidden = false
  mark()
  await show(part === 'html' && !shown.html ? 'text' : part)
}

async function show(name) {
  for (const tab of at('tabs').children) tab.setAttribute('aria-selected', String(tab.dataset.part === name))
  at('part').replaceChildren(await content(name))
}

async function content(name) {
  if (name === 'html') {
    const frame = document.createElement('iframe')
    frame.title = 'The mail as HTML'
    // No scripts and no origin; a link opens in a tab of its own, which is free of the sandbox.
    frame.setAttribute('sandbox', 'allow-popups allow-popups-to-escape-sandbox')
    frame.srcdoc = `<base target="_blank">${shown.html ?? '<p>This mail has no HTML.'}`
    return frame
  }
  if (name === 'headers') {
    const table = document.createElement('table')
    for (const header of shown.headers) {
      const line = table.insertRow()
      const head = document.createElement('th')
      head.scope = 'row'
      head.textContent = header.name
      line.append(head)
      line.insertCell().textContent = header.value
    }
    return table
  }
  const pre = document.createElement('pre')
  if (name === 'text') pre.textContent = shown.text ?? 'This mail has no text.'
  else pre.textContent = await (await fetch(`/api/messages/${shown.id}/raw`)).text()
  return pre
}

at('tabs').addEventListener('click', ({ target }) => {
  if (!target.dataset.part) return
  part = target.dataset.part
  show(part)
})
at('search').addEventListener('submit', (event) => event.preventDefault())
at('query').addEventListener('input', refresh)
at('more').addEventListener('click', more)
at('empty').addEventListener('click', async () => {
  if (!confirm('Delete every mail?')) return
  await fetch('/api/messages', { method: 'DELETE' })
  shown = null
  at('mail').hidden = true
  await refresh()
})

// It scrolls, so the keyboard must reach it.
at('part').tabIndex = 0

const openNamed = () => location.hash.length > 1 && open(location.hash.slice(1))
addEventListener('hashchange', openNamed)

refresh()
openNamed()
setInterval(() => refresh().catch(() => {}), REFRESH)
