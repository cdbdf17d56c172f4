// What can be wrong with a mail as a browser lays it out.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { pngOf } from './browser.ts'

export interface Findings {
  /** Wider than the window, or text that lies outside it or of the box that clips it. */
  overflow: string[]
  /** Without alt text or size, not loaded, or out of proportion. */
  images: string[]
  /** Contrast below WCAG AA: 4.5:1, for large text 3:1. */
  faint: string[]
  /** Buttons less than 32 px high. */
  small_buttons: string[]
  /** Links that show neither text nor alt text. */
  silent_links: string[]
  /** Requests for anything but images from the one host that templates may name. */
  requests: string[]
  /** What the browser wrote to its console. */
  console: string[]
  /** How many of each there are: nothing found among none says nothing. */
  seen: { texts: number; images: number; buttons: number; links: number }
}

export interface View {
  width: number
  color_scheme: 'light' | 'dark'
  /** Most mail programs ask before they show images. */
  images: 'shown' | 'blocked'
}

const IMAGE_HOST = 'images.example'

/** One for each view: a context of its own for each mail would cost a process each. They end with their browser. */
const contexts = new WeakMap<Browser, Map<string, Promise<BrowserContext>>>()

function contextOf(browser: Browser, view: View): Promise<BrowserContext> {
  const own = contexts.get(browser) ?? new Map<string, Promise<BrowserContext>>()
  contexts.set(browser, own)
  const key = JSON.stringify(view)
  const context =
    own.get(key) ?? browser.newContext({ viewport: { width: view.width, height: 800 }, colorScheme: view.color_scheme })
  own.set(key, context)
  return context
}

/** Opens a mail and looks for faults. */
export async function inspectMail(browser: Browser, html: string, view: View): Promise<Findings> {
  const context = await contextOf(browser, view)
  const page = await context.newPage()
  const requests: string[] = []
  const messages: string[] = []
  page.on('console', (message) => messages.push(message.text()))
  page.on('pageerror', (error) => messages.push(String(error)))
  await page.route(/^https?:/, async (route) => {
    const { host, pathname } = new URL(route.request().url())
    const [, width, height] = sizeOf(html, pathname)
    if (host !== IMAGE_HOST) requests.push(route.request().url())
    if (host !== IMAGE_HOST || view.images === 'blocked') return route.abort()
    // Twice the size, for dense screens.
    return route.fulfill({ contentType: 'image/png', body: pngOf(width * 2, height * 2) })
  })
  await page.setContent(html, { waitUntil: 'load' })
  const found = await look(page)
  await page.close()
  const blocked = view.images === 'blocked'
  return {
    ...found,
    images: blocked ? [] : found.images,
    console: blocked ? messages.filter((text) => !text.includes('ERR_FAILED')) : messages,
    requests,
  }
}

/** The size that the mail gives an image. */
function sizeOf(html: string, pathname: string): [string, number, number] {
  const tag = html.match(/<img\b[^>]*>/g)?.find((image) => image.includes(pathname)) ?? ''
  const attribute = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(tag)?.[1] ?? 1)
  return [tag, attribute('width'), attribute('height')]
}

/** Runs in the page: nothing from outside the function is there. */
const look = (page: Page): Promise<Omit<Findings, 'requests' | 'console'>> =>
  page.evaluate(() => {
    const found = {
      overflow: [] as string[],
      images: [] as string[],
      faint: [] as string[],
      small_buttons: [] as string[],
      silent_links: [] as string[],
      seen: { texts: 0, images: 0, buttons: 0, links: 0 },
    }
    const width = window.innerWidth
    const name = (element: Element) => `<${element.tagName.toLowerCase()} class="${element.className}">`

    const page_width = document.scrollingElement?.scrollWidth ?? 0
    if (page_width > width) found.overflow.push(`the page is ${page_width} px wide`)
    for (const element of document.body.querySelectorAll('*')) {
      const { left, right, width: own } = element.getBoundingClientRect()
      if (own > 0 && (right > width + 0.5 || left < -0.5)) {
        found.overflow.push(`${name(element)} from ${left} to ${right}`)
      }
      const { overflowX, overflowY } = getComputedStyle(element)
      const clips = overflowX !== 'visible' || overflowY !== 'visible'
      if (
        own > 0 &&
        clips &&
        (element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight)
      )
        found.overflow.push(`${name(element)} clips its content`)
    }

    /** Red, green, blue and alpha, each 0 to 1, of a computed colour. */
    const rgba = (color: string) => {
      const [r = 0, g = 0, b = 0, a = 1] = color.match(/[\d.]+/g)?.map(Number) ?? []
      return [r / 255, g / 255, b / 255, a] as const
    }
    const luminance = (color: string) => {
      const [r, g, b] = rgba(color).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
      return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0)
    }
    const backdrop = (start: Element) => {
      for (let at: Element | null = start; at; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor
        if (rgba(color)[3] === 1) return color
      }
      return 'rgb(255, 255, 255)'
    }
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const element = text.parentElement
      if (!element?.checkVisibility() || !/[^\s\u00a0]/.test(text.textContent ?? '')) continue
      found.seen.texts++
      const range = document.createRange()
      range.selectNodeContents(text)
      for (const { left, right } of range.getClientRects())
        if (left < -0.5 || right > width + 0.5) found.overflow.push(`"${text.textContent}" from ${left} to ${right}`)
      const style = getComputedStyle(element)
      const size = Number.parseFloat(style.fontSize)
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
      const [front, back] = [luminance(style.color), luminance(backdrop(element))]
      const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05)
      if (contrast < (large ? 3 : 4.5)) {
        found.faint.push(`"${text.textContent?.trim()}" ${contrast.toFixed(2)}: ${style.color} on ${backdrop(element)}`)
      }
    }

    for (const image of document.images) {
      found.seen.images++
      const what = image.getAttribute('src') ?? ''
      const box = image.getBoundingClientRect()
      if (image.alt.trim() === '') found.images.push(`${what} has no alt text`)
      if (!(Number(image.getAttribute('width')) > 0 && Number(image.getAttribute('height')) > 0))
        found.images.push(`${what} has no size`)
      if (!image.complete || image.naturalWidth === 0) found.images.push(`${what} is not loaded`)
      else if (Math.abs(box.width / box.height / (image.naturalWidth / image.naturalHeight) - 1) > 0.02)
        found.images.push(`${what} is drawn ${box.width} by ${box.height}`)
    }

    for (const link of document.links) {
      found.seen.links++
      const shown = link.innerText.trim() || [...link.querySelectorAll('img')].map((image) => image.alt).join('')
      if (shown === '') found.silent_links.push(link.href)
      if (getComputedStyle(link).display !== 'inline-block') continue
      found.seen.buttons++
      const { height } = link.getBoundingClientRect()
      if (height < 32) found.small_buttons.push(`"${shown}" is ${height} px high`)
    }
    return found
  })
