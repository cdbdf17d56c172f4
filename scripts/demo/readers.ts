// What readers do with a mail: some open it, some of those click, a few leave. Everything is taken out of mails that
// really arrived, and everything done is written down, so that the report can be held against it.
import { type Arrived, openMail } from './inbox.ts'

/** What the readers did, to be found again in the campaign's numbers. */
export interface Deeds {
  opens: number
  openers: Set<string>
  clicks: number
  clickers: Set<string>
  /** URL behind the redirect -> clicks. */
  clicked: Map<string, number>
  unsubscribed: Set<string>
}

/** Requests under way at once. */
const AT_ONCE = 16
/** What the readers read with. */
const HEADERS = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.3.0',
}

/** Lets every recipient do what falls to them: the same for the same inbox. */
export async function actAsReaders(inbox_url: string, mails: readonly Arrived[]): Promise<Deeds> {
  const deeds: Deeds = {
    opens: 0,
    openers: new Set(),
    clicks: 0,
    clickers: new Set(),
    clicked: new Map(),
    unsubscribed: new Set(),
  }
  const waiting = mails.entries()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.next(); !next.done; next = waiting.next()) {
        const [nth, mail] = next.value
        await read(inbox_url, mail, nth, deeds)
      }
    }),
  )
  return deeds
}

async function read(inbox_url: string, { id, to }: Arrived, nth: number, deeds: Deeds): Promise<void> {
  const opens = nth % 5 < 3
  const clicks = opens && nth % 4 === 0
  const leaves = nth % 50 === 7
  const scanned = nth % 25 === 9
  if (!(opens || leaves || scanned)) return
  const mail = await openMail(inbox_url, id)
  if (scanned) await scan(mail.html)
  if (opens) {
    const times = nth % 10 === 0 ? 2 : 1
    for (let i = 0; i < times; i++) await loadPixel(mail.html)
    deeds.opens += times
    deeds.openers.add(to)
  }
  if (clicks) {
    // One reader comes from the text part; one clicks two links.
    const links = nth % 8 === 0 ? linksOf(mail.text) : linksOf(mail.html)
    for (const link of links.slice(nth % 3, (nth % 3) + (nth % 12 === 0 ? 2 : 1))) {
      const target = await click(link)
      deeds.clicks++
      deeds.clickers.add(to)
      deeds.clicked.set(target, (deeds.clicked.get(target) ?? 0) + 1)
    }
  }
  if (leaves) {
    await unsubscribe(mail.headers)
    deeds.unsubscribed.add(to)
  }
}

/** A mail client shows the images. */
async function loadPixel(html: string): Promise<void> {
  const src = /<img[^>]+src="([^"]*\/t\/o\/[^"]+)"/.exec(html)?.[1]
  if (!src) throw new Error('a mail has no tracking pixel')
  const response = await fetch(src, { headers: HEADERS })
  if (response.status !== 200 || response.headers.get('content-type') !== 'image/gif') {
    throw new Error(`the pixel answered ${response.status}`)
  }
}

const linksOf = (part: string) => part.match(/https?:\/\/[^\s"')<>]*\/t\/c\/[^\s"')<>]+/g) ?? []

/** A browser follows a link; the redirect is not followed further, so nothing outside is contacted. */
async function click(link: string): Promise<string> {
  const response = await fetch(link, { headers: HEADERS, redirect: 'manual' })
  const target = response.headers.get('location')
  if (response.status !== 302 || !target) throw new Error(`a tracked link answered ${response.status}`)
  return target
}

/** A mail client's own unsubscribe button (RFC 8058): one POST, no page, no cookies. */
async function unsubscribe(headers: { name: string; value: string }[]): Promise<void> {
  const value = (name: string) => headers.find((h) => h.name.toLowerCase() === name)?.value ?? ''
  const url = /<(https?:[^>]+)>/.exec(value('list-unsubscribe'))?.[1]
  if (!url) throw new Error('a mail has no List-Unsubscribe header')
  const body = value('list-unsubscribe-post')
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body,
  })
  if (response.status !== 200) throw new Error(`the unsubscribe answered ${response.status}`)
}

/** A scanner fetches the unsubscribe page, as they fetch every link of a mail: it must unsubscribe nobody. */
async function scan(html: string): Promise<void> {
  const page = /https?:\/\/[^\s"'<>]*\/u\/[^\s"'<>]+/.exec(html)?.[0]
  if (!page) throw new Error('a mail lacks its unsubscribe page')
  await fetch(page, { method: 'HEAD' })
  await fetch(page)
}
