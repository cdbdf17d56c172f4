// The templates that come with the kit, as readers see them.
import { readdirSync, readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { compileTemplate } from '../../src/templates/compile.ts'
import type { CompiledTemplate } from '../../src/templates/compiled.ts'
import { renderPreview } from '../../src/templates/preview.ts'
import { CHROMIUM, NO_CHROMIUM, openBrowser } from '../support/browser.ts'
import { type Findings, inspectMail, type View } from '../support/mail-page.ts'

const FOLDER = new URL('../../examples/templates/', import.meta.url)
const NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.mjml'))
  .map((file) => file.slice(0, -'.mjml'.length))

/** Bytes of compiled HTML: far from where Gmail cuts, and quick to send. */
const LIMIT = 60 * 1024
const LONG = 'Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch'

interface Sample {
  subject: string
  preheader: string
  data: Record<string, unknown>
}

const read = (file: string) => readFileSync(new URL(file, FOLDER), 'utf8')
const sampleOf = (name: string): Sample => JSON.parse(read(`${name}.json`))
const compiled = new Map<string, CompiledTemplate>()

/** The same mail to somebody who gave an address and nothing more, and to somebody whose words do not break. */
const READERS: Record<string, (data: Sample['data']) => Sample['data']> = {
  'the sample reader': (data) => data,
  'a reader about whom nothing is known': (data) => ({
    ...data,
    first_name: null,
    last_name: null,
    attributes: {},
    timezone: null,
    locale: null,
  }),
  'a reader with very long words': (data) => lengthen(data) as Sample['data'],
}

function lengthen(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lengthen)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, lengthen(inner)]))
  return typeof value === 'string' && value !== 'pro' ? `${LONG}@${value}` : value
}

async function mailFor(name: string, reader: string) {
  const template =
    compiled.get(name) ?? (await compileTemplate({ format: 'mjml', source: read(`${name}.mjml`), text_source: null }))
  compiled.set(name, template)
  const { subject, preheader, data } = sampleOf(name)
  const { warnings, ...mail } = renderPreview(template, {
    subject,
    preheader,
    data: READERS[reader]?.(data) ?? data,
  })
  return { ...mail, template }
}

const NOTHING: Omit<Findings, 'seen'> = {
  overflow: [],
  images: [],
  faint: [],
  small_buttons: [],
  silent_links: [],
  requests: [],
  console: [],
}

test('there are five, each with sample data', () => {
  expect(NAMES.sort()).toEqual(['announcement', 'digest', 'letter', 'newsletter', 'welcome'])
  for (const name of NAMES) expect(sampleOf(name).subject).not.toBe('')
})

describe.each(NAMES)('%s', (name) => {
  test('compiles without a warning, and says who writes and how to leave', async () => {
    const { template, html, text } = await mailFor(name, 'the sample reader')
    // Addresses with variables in them cannot be counted like others; the digest has one for each story.
    expect(template.warnings.filter(({ code }) => code !== 'untracked_link')).toEqual([])
    expect(Buffer.byteLength(template.html)).toBeLessThan(LIMIT)
    expect(template.links.length).toBeGreaterThanOrEqual(3)
    const sender = sampleOf(name).data.sender as { postal_address: string }
    for (const part of [html, text]) {
      expect(part).toContain(sender.postal_address)
      expect(part).toContain('https://example.com/unsubscribe')
    }
    expect(html).toMatch(/<html lang="en"/)
    expect(html).toContain('<meta name="color-scheme" content="light dark">')
    expect(html).toMatch(/role="article"[^>]*lang="en"/)
  })

  test.each(Object.keys(READERS))('leaves no gap in what it says to %s', async (reader) => {
    const { subject, html, text } = await mailFor(name, reader)
    expect(subject).not.toBe('')
    for (const part of [subject, html.replace(/<style[\s\S]*?<\/style>/g, ''), text]) {
      expect(part).not.toMatch(/\{\{|\}\}|undefined|\bnull\b|\[object/)
    }
    // A variable that is missing shows as a space before a comma or stop, or as two marks in a row.
    expect(text).not.toMatch(/ [,.;:!?](?:\s|$)|[,;:]\s*[,.;:]/)
  })
})

describe('in Chromium', () => {
  let browser: Browser
  beforeAll(async () => {
    if (CHROMIUM) browser = await openBrowser()
  })
  afterAll(() => browser?.close())
  beforeEach(({ skip }) => skip(CHROMIUM === undefined, NO_CHROMIUM))

  test('faults are found', async () => {
    const html = `<body style="margin:0"><p style="color:#999">faint</p><div style="width:900px">wide</div>
      <div style="width:20px;overflow:hidden;white-space:nowrap">this is cut off</div>
      <img src="https://images.example/a.png" width="10" height="10" style="height:40px">
      <a href="https://x.example/"></a><a href="https://y.example/" style="display:inline-block">low</a>
      <img src="https://elsewhere.example/b.png" alt="b" width="1" height="1"></body>`
    const found = await inspectMail(browser, html, { width: 360, color_scheme: 'light', images: 'shown' })
    expect(found.overflow).toContain('the page is 900 px wide')
    expect(found.overflow.filter((line) => line.includes('clips'))).toHaveLength(1)
    expect(found.images).toHaveLength(3)
    expect(found.faint).toHaveLength(1)
    expect(found.small_buttons).toHaveLength(1)
    expect(found.silent_links).toEqual(['https://x.example/'])
    expect(found.requests).toEqual(['https://elsewhere.example/b.png'])
    expect(found.console).not.toEqual([])
    expect(found.seen).toEqual({ texts: 4, images: 2, buttons: 1, links: 2 })
  })

  // Layout goes by the width, contrast by the colour scheme: each is looked at once.
  const views: View[] = [
    { width: 600, color_scheme: 'light', images: 'shown' },
    { width: 360, color_scheme: 'dark', images: 'shown' },
    { width: 360, color_scheme: 'light', images: 'blocked' },
  ]
  describe.each(NAMES)('%s', (name) => {
    test.each(Object.keys(READERS))('looks right to %s', async (reader) => {
      const { html } = await mailFor(name, reader)
      const source = read(`${name}.mjml`)
      for (const view of views) {
        const { seen, ...found } = await inspectMail(browser, html, view)
        expect(found, JSON.stringify(view)).toEqual(NOTHING)
        expect(seen.texts).toBeGreaterThan(8)
        expect(seen.images).toBe(source.split(' src="').length - 1)
        expect(seen.links).toBeGreaterThanOrEqual(3)
        expect(seen.buttons > 0).toBe(source.includes('</mj-button>'))
      }
    })
  })
})
