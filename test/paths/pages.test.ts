// The pages that people open, in Chromium: nothing that axe knows to be a barrier, nothing wider than the window, and a
// browser that has nothing to complain about.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axe from 'axe-core'
import nodemailer from 'nodemailer'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Inbox, startInbox } from '../../local/inbox/inbox.ts'
import { NO_BRAND } from '../../src/pages/look.ts'
import { chooseWords } from '../../src/pages/words/choose.ts'
import { confirmationMail } from '../../src/signup/mails.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import { signTimed } from '../../src/tokens/timed.ts'
import { noticeMail } from '../../src/transactional/notice.ts'
import { CHROMIUM, NO_CHROMIUM, openBrowser, pngOf } from '../support/browser.ts'
import { type Installation, openInstallation } from '../support/installation.ts'
import { seedReport } from '../support/report.ts'

/** Both widths and both colour schemes: what axe looks at depends on one or the other. */
const VIEWS: { width: number; color_scheme: 'light' | 'dark' }[] = [
  { width: 1280, color_scheme: 'light' },
  { width: 400, color_scheme: 'dark' },
]

const REPORTS: Record<string, Parameters<typeof seedReport>[1]> = {
  sent: { name: 'The spring letter', from_name: 'The Garden Shop' },
  draft: { status: 'draft' },
  sending: { status: 'sending', started_hours_ago: 3 },
  paused: {
    status: 'paused',
    name: 'A-campaign-whose-name-is-one-long-word-'.repeat(4),
    subject: 'W'.repeat(150),
    answer: `550 ${'x'.repeat(250)}`,
    status_reason:
      '31 of the 120 mails tried failed, most often as no_such_address (such as: 550 5.1.1 No such user). Resume it to go on.',
  },
}

let browser: Browser
beforeAll(async () => {
  if (CHROMIUM) browser = await openBrowser()
})
afterAll(() => browser?.close())
beforeEach(({ skip }) => skip(CHROMIUM === undefined, NO_CHROMIUM))

/** Opens a page, has `act` done to it, and returns what is wrong with it afterwards. */
async function faults(
  url: string,
  { width, color_scheme }: (typeof VIEWS)[number],
  act: (page: Page) => Promise<unknown> = async () => undefined,
): Promise<string[]> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: color_scheme })
  await context.addInitScript({ content: axe.source })
  const page = await context.newPage()
  const found: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') found.push(message.text())
  })
  page.on('pageerror', (error) => found.push(String(error)))
  try {
    const response = await page.goto(url, { waitUntil: 'load' })
    if (response?.status() !== 200) found.push(`${url} answered ${response?.status()}`)
    await act(page)
    const page_width = await page.evaluate(() => document.scrollingElement?.scrollWidth ?? 0)
    if (page_width > width) found.push(`the page is ${page_width} px wide`)
    // Mails in their frames are not the page's own. As text: a test's own names mean nothing in the page.
    const { violations, passes } = await page.evaluate<axe.AxeResults>('axe.run({ iframes: false })')
    expect(passes.length).toBeGreaterThan(2)
    for (const { id, nodes } of violations)
      found.push(...nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
    return found
  } finally {
    await context.close()
  }
}

test('faults are found', async () => {
  const body =
    '<p style="color:#aaa;width:2000px">faint and wide</p><img src="data:,"><script>console.error("oh")</script>'
  const found = await faults(`data:text/html,${encodeURIComponent(body)}`, { width: 400, color_scheme: 'light' })
  for (const fault of ['the page is 2008 px wide', 'oh', 'color-contrast: ', 'image-alt: ', 'html-has-lang: ']) {
    expect(
      found.filter((line) => line.startsWith(fault)),
      fault,
    ).toHaveLength(1)
  }
})

/** Somebody whose page shows everything that it can show. */
async function complainer({ sql }: Installation): Promise<number> {
  const key = crypto.randomUUID().slice(0, 8)
  const [person] = await sql<{ id: number }>(
    `insert into subscribers (email, status, paused_until) values ($1, 'complained', now() + interval '5 days') returning id::int as id`,
    [`reader-${key}@a-domain-that-is-longer-than-what-fits-into-one-line-of-a-telephone.example`],
  )
  const id = person?.id ?? 0
  await sql(
    `with lists as (
       insert into mailing_lists (name, description, visibility, consent_wording) values
         ($1, 'News of the garden', 'public', null), ($2, null, 'public', 'I want this, and agree to it.')
       returning id)
     insert into list_members (list_id, subscriber_id) select id, $3 from lists`,
    [`Garden ${key}`, `A-list-whose-name-is-one-long-word-${key}`.repeat(3), id],
  )
  await sql(`insert into suppressions (kind, value) select 'address', email from subscribers where id = $1`, [id])
  return id
}

describe('of the Workers', () => {
  let i: Installation
  let unsubscribe: string
  /** Addresses of reports by what they are of. */
  const reports: Record<string, string> = {}
  beforeAll(async () => {
    if (!CHROMIUM) return
    i = await openInstallation()
    const keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
    unsubscribe = `/u/${await signRecipient(keys, 'unsubscribe', 1, 1)}`
    const picture = `data:image/png;base64,${pngOf(600, 320).toString('base64')}`
    const source = readFileSync('examples/templates/newsletter.mjml', 'utf8').replace(
      /https:\/\/images\.example\/[^"]*/g,
      picture,
    )
    const expires_at = new Date(Date.now() + 3_600_000)
    for (const [name, options] of Object.entries(REPORTS)) {
      const { id } = await seedReport(i.sql, { ...options, source, format: 'mjml' })
      reports[name] = `${i.api_url}/reports/${await signTimed(keys, 'report', { id, expires_at })}`
    }
  }, 180_000)
  afterAll(() => i?.close())

  test.each(VIEWS)('home, errors and reference, $width px wide, $color_scheme', async (view) => {
    for (const path of ['/', '/problems', '/docs']) expect(await faults(i.api_url + path, view), path).toEqual([])
  })

  test.each(VIEWS)('unsubscribe, $width px wide, $color_scheme', async (view) => {
    expect(await faults(i.api_url + unsubscribe, view)).toEqual([])
    const left = await faults(i.api_url + unsubscribe, view, async (page) => {
      await page.getByRole('button', { name: 'Unsubscribe from this list' }).click()
      await page.getByRole('status').waitFor()
    })
    expect(left).toEqual([])
    const broken = await faults(`${i.api_url}/u/broken`, view)
    expect(broken.filter((line) => !line.includes('404'))).toEqual([])
  })

  test.each([
    { width: 320, color_scheme: 'dark', lang: 'de', brand_color: '#330033' },
    { width: 320, color_scheme: 'light', lang: 'en', brand_color: '#ffee00' },
  ] as const)(
    'preferences, $width px wide, $color_scheme, $lang, $brand_color',
    async ({ lang, brand_color, ...view }) => {
      await i.sql('update settings set brand_color = $1, brand_name = $2, privacy_url = $3', [
        ...[brand_color, 'A house whose name is long', 'https://acme.example/privacy'],
      ])
      const keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
      const id = await complainer(i)
      const path = `/preferences/${await signRecipient(keys, 'preferences', 1, id)}?lang=${lang}`
      expect(await faults(i.api_url + path, view), path).toEqual([])
      const saved = await faults(i.api_url + path, view, async (page) => {
        await page.getByRole('radio').nth(1).check()
        await page.locator('form').first().getByRole('button').click()
        await page.getByRole('status').waitFor()
      })
      expect(saved).toEqual([])
      const expires_at = new Date(Date.now() + 3_600_000)
      const data = `/data/erase/${await signTimed(keys, 'erase data', { id, expires_at })}?lang=${lang}`
      expect(await faults(i.api_url + data, view)).toEqual([])
      const broken = await faults(`${i.api_url}/preferences/broken?lang=${lang}`, view)
      expect(broken.filter((line) => !line.includes('404'))).toEqual([])
    },
  )

  test.each([
    { width: 320, color_scheme: 'light', lang: 'de', brand_color: '#ffd700' },
    { width: 1280, color_scheme: 'dark', lang: 'en', brand_color: '#7f1d1d' },
  ] as const)('sign-up, $width px wide, $color_scheme, $lang, $brand_color', async ({ lang, brand_color, ...view }) => {
    const brand = { ...NO_BRAND, brand_color, brand_name: 'The Harbour', home_url: 'https://acme.example/' }
    await i.sql('update settings set brand_color = $1, brand_name = $2', [brand_color, brand.brand_name])
    const [list] = await i.sql<{ id: number }>(
      `insert into mailing_lists (name, description, visibility, consent_wording) values ($1, 'About the harbour', 'public', $2)
        returning id::int as id`,
      [`A-list-whose-name-is-one-long-word-${lang}`.repeat(3), 'Yes, send me that.\nI can leave at any time.'],
    )
    const form = `${i.api_url}/subscribe/${list?.id}?lang=${lang}&fields=first_name,last_name`
    const press = (page: Page) => page.locator('form').getByRole('button').click()
    expect(await faults(form, view)).toEqual([])
    const refused = await faults(form, view, async (page) => {
      // What a browser lets pass and we do not.
      await page.locator('[name=email]').fill('ada@harbour')
      await press(page)
      await page.getByRole('alert').waitFor()
    })
    expect(refused.filter((line) => !line.includes('422'))).toEqual([])
    const taken = await faults(form, view, async (page) => {
      await page.locator('[name=email]').fill(`ada-${lang}@example.com`)
      await press(page)
      await page.getByRole('status').waitFor()
    })
    expect(taken).toEqual([])

    const [signup] = await i.sql<{ id: number }>(
      `insert into signups (email, list_ids, wording, source, status, mails, expires_at)
        select $2, array[id], consent_wording, 'test', 'mailed', 1, now() + interval '1 day' from mailing_lists where id = $1
        returning id::int as id`,
      [list?.id, `somebody-with-a-long-address-${lang}@a-domain-that-is-long-too-${'and-longer-'.repeat(4)}.example`],
    )
    const keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
    const expires_at = new Date(Date.now() + 3_600_000)
    const confirm = `${i.api_url}/confirm/${await signTimed(keys, 'confirm', { id: signup?.id ?? 0, expires_at })}?lang=${lang}`
    const confirmed = await faults(confirm, view, async (page) => {
      await press(page)
      await page.getByRole('status').waitFor()
    })
    expect(confirmed).toEqual([])
    const broken = await faults(`${i.api_url}/confirm/broken?lang=${lang}`, view)
    expect(broken.filter((line) => !line.includes('404'))).toEqual([])

    const words = chooseWords(lang)
    const notice = await confirmationMail(
      { signing_keys: keys, public_url: i.api_url },
      { id: 1, lists: [{ name: 'The Harbour Letter' }], expires_at: expires_at.toISOString() },
      words,
    )
    const { html } = noticeMail(notice, brand, 'The Harbour, 1 Quay Street')
    const mail = await faults(`data:text/html;charset=utf-8,${encodeURIComponent(html)}`, view)
    // A mail has no status, and no landmarks: it is shown inside of a page that has.
    expect(mail.filter((line) => !/^(?:data:|landmark-one-main|region)/.test(line))).toEqual([])
  })

  test.each([
    { width: 1200, color_scheme: 'light', names: ['sent', 'draft'] },
    { width: 360, color_scheme: 'dark', names: ['paused', 'sending'] },
  ] as const)('reports, $width px wide, $color_scheme: $names', async ({ names, ...view }) => {
    for (const name of names) {
      const found = await faults(reports[name] ?? '', view, async (page) => {
        for (const table of await page.getByText('The same as a table').all()) await table.click()
        await page.frameLocator('iframe').getByText('Ada').first().waitFor()
      })
      expect(found, name).toEqual([])
    }
  })

  test('a report is all there where no script may run, and its mail cannot leave its frame', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    try {
      const page = await context.newPage()
      const asked: string[] = []
      page.on('request', (request) => asked.push(request.url()))
      await page.goto(reports.sent ?? '')
      await page.getByText('The same as a table').first().click()
      await page.getByRole('cell', { name: '190', exact: true }).first().waitFor()
      const mail = page.frameLocator('iframe')
      const badge = mail.locator('a span').first()
      await badge.waitFor()
      expect(await badge.textContent()).toMatch(/^\d+ · \d+%$/)
      await badge.click()
      await badge.waitFor()
      expect(page.url()).toBe(reports.sent)
      // Neither the pixel nor any link of the mail: the page itself, and pictures of others.
      expect(asked.filter((url) => url.startsWith(i.api_url))).toEqual([reports.sent])
    } finally {
      await context.close()
    }
  })
})

describe('of the local inbox', () => {
  const folder = mkdtempSync(join(tmpdir(), 'emk-pages-'))
  let inbox: Inbox
  beforeAll(async () => {
    inbox = await startInbox({ dir: folder })
    const mail = nodemailer.createTransport({ host: '127.0.0.1', port: inbox.smtp_port, ignoreTLS: true })
    for (const n of [1, 2, 3]) {
      await mail.sendMail({
        from: 'The Harbour Letter <letter@harbour.example>',
        to: `reader${n}@example.com`,
        subject: `Letter ${n} ${'to somebody with a long subject '.repeat(n)}`,
        text: `Plain words ${n}`,
        html: `<h1>Marked-up words ${n}</h1><script>parent.document.title = 'taken'</script>`,
      })
    }
    mail.close()
  })
  afterAll(async () => {
    await inbox?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test.each(VIEWS)('list, search and every part of a mail, $width px wide, $color_scheme', async (view) => {
    const list = await faults(inbox.url, view, async (page) => {
      await page.getByText('3 mails').waitFor()
      expect(await page.getByRole('listitem').count()).toBe(3)
      await page.getByRole('searchbox').fill('reader2')
      await page.getByText('1 mail', { exact: true }).waitFor()
    })
    expect(list).toEqual([])

    const parts: [tab: string, seen: (page: Page) => Promise<unknown>][] = [
      ['HTML', (page) => page.frameLocator('iframe').getByRole('heading', { name: 'Marked-up words 2' }).waitFor()],
      ['Text', (page) => page.getByText('Plain words 2').waitFor()],
      ['Headers', (page) => page.getByText('Message-ID').waitFor()],
      ['Source', (page) => page.getByText('MIME-Version: 1.0').waitFor()],
    ]
    for (const [tab, seen] of parts) {
      const found = await faults(inbox.url, view, async (page) => {
        await page.getByRole('button', { name: /reader2@/ }).click()
        await page.getByRole('heading', { name: /^Letter 2/ }).waitFor()
        await page.getByRole('tab', { name: tab }).click()
        await seen(page)
        expect(await page.title()).not.toBe('taken')
      })
      // The frame is told to run no scripts, and Chromium says aloud that it did not.
      expect(
        found.filter((line) => !line.startsWith('Blocked script execution')),
        tab,
      ).toEqual([])
    }
  })
})
