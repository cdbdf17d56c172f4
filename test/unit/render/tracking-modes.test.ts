import { describe, expect, test } from 'vitest'
import { takeSnapshot } from '../../../src/campaigns/snapshot.ts'
import { TRACKING_MODES, type TrackingMode } from '../../../src/campaigns/tracking-mode.ts'
import { renderForRecipient } from '../../../src/render/recipient.ts'
import { prepareContent } from '../../../src/render/render.ts'
import { compileTemplate } from '../../../src/templates/compile.ts'
import { SAMPLE_MAILING } from '../../../src/templates/sample.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../../src/tokens/development.ts'
import { parseSigningKeys } from '../../../src/tokens/keys.ts'
import { verifyLink } from '../../../src/tokens/link.ts'
import { ANYBODY, NOBODY } from '../../../src/tokens/nobody.ts'
import { type RecipientPurpose, verifyRecipient } from '../../../src/tokens/recipient.ts'

const signing_keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
const signing = { signing_keys, link_hosts: () => false }
const URL_OF_ALL = 'https://shop.example/?a=1&b=%C3%A4#top'
const SOURCE = `<p>Hi</p><a href="https://shop.example/?a=1&amp;b=%C3%A4#top">all</a>
<a href="https://shop.example/{{attributes.city}}?a=1&amp;b">near</a>
<a href="{{web_view_url}}">view</a> <a href="{{preferences_url}}">choose</a> {{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a>`
const compiled = await compileTemplate({ format: 'html', source: SOURCE, text_source: null })

const person = (subscriber_id: number) => ({
  subscriber_id,
  email: `p${subscriber_id}@example.com`,
  first_name: null,
  last_name: null,
  attributes: { city: 'x' },
  timezone: null,
  locale: null,
})

async function mail(track_opens: TrackingMode, track_clicks: TrackingMode, subscriber_id: number, utm = {}) {
  const urls = { tracking_url: 'https://t.example', public_url: 'https://p.example' }
  const content = { template_id: 1, template_version: 1, subject: 's', preheader: '', utm, track_opens, track_clicks }
  const mailing = { ...SAMPLE_MAILING, campaign: { id: 7, name: 'c' } }
  const snapshot = await takeSnapshot({ ...content, ...mailing, ...urls }, compiled, signing_keys)
  const renderer = prepareContent(snapshot)
  const { html, text, unsubscribe_url } = await renderForRecipient(
    { snapshot, renderer },
    person(subscriber_id),
    signing,
    true,
  )
  return { html, text, unsubscribe_url }
}

const hrefs = (html: string) => Array.from(html.matchAll(/ href="([^"]*)"/g), ([, href = '']) => href)

/** Whose the first token of a kind is. */
async function whose(purpose: RecipientPurpose, content: string): Promise<number | undefined> {
  const path = { open: '/t/o/', click: '/t/c/', unsubscribe: '/u/', view: '/v/', preferences: '/preferences/' }[purpose]
  const token = new RegExp(`${path}([\\w-]+)`).exec(content)?.[1]
  if (token === undefined) return undefined
  const recipient = await verifyRecipient(signing_keys, purpose, token)
  expect(recipient?.campaign_id).toBe(7)
  return recipient?.subscriber_id
}

/** What stands in a mail that leads to nobody but its reader. */
const withoutOwn = (html: string) =>
  html.replace(/https:\/\/(?:t\.example\/u|p\.example\/(?:v|preferences))\/[\w-]+/g, '')

describe.each(TRACKING_MODES)('clicks: %s', (clicks) => {
  test.each(TRACKING_MODES)('and opens: %s', async (opens) => {
    const { html, text, unsubscribe_url } = await mail(opens, clicks, 42)
    const owner = { individual: 42, aggregate: ANYBODY, none: undefined }
    expect(await whose('open', html)).toBe(owner[opens])
    expect(await whose('click', html)).toBe(owner[clicks])
    expect(await whose('click', text)).toBe(owner[clicks])
    // These are the reader's own, whatever is counted.
    expect(await whose('unsubscribe', unsubscribe_url)).toBe(42)
    expect(html).toContain(`href="${unsubscribe_url}"`)
    expect(await whose('view', html)).toBe(42)
    expect(await whose('preferences', html)).toBe(42)
    expect(await whose('preferences', text)).toBe(42)
  })
})

test('untracked links are as their author wrote them, without a picture or anything added', async () => {
  const { html, text } = await mail('none', 'none', 42, { source: 'letter' })
  const [all, near] = hrefs(html)
  expect([all, near]).toEqual(['https://shop.example/?a=1&amp;b=%C3%A4#top', 'https://shop.example/x?a=1&amp;b'])
  expect(text).toContain(`(${URL_OF_ALL})`)
  expect(html).not.toContain('<img')
  expect(html + text).not.toContain('/t/')
})

test('links that are counted without saying who are the same in every mail, and redirect', async () => {
  const [one, other] = await Promise.all([mail('aggregate', 'aggregate', 1), mail('aggregate', 'aggregate', 2)])
  expect(withoutOwn(one.html)).toBe(withoutOwn(other.html))
  const [all = '', near] = hrefs(one.html)
  expect(await verifyLink(signing_keys, all.slice(all.lastIndexOf('/') + 1))).toMatchObject({ n: 1, url: URL_OF_ALL })
  // Signed it would be the reader's own, so it is not.
  expect(near).toBe('https://shop.example/x?a=1&amp;b')
})

test('a test mail counts for nobody in every mode', async () => {
  const { html } = await mail('aggregate', 'aggregate', NOBODY)
  expect([await whose('open', html), await whose('click', html)]).toEqual([NOBODY, NOBODY])
})

test('a snapshot of before there was a choice tracks who it is', async () => {
  const before = undefined as unknown as TrackingMode
  const { html } = await mail(before, before, 42)
  expect([await whose('open', html), await whose('click', html)]).toEqual([42, 42])
  expect(hrefs(html)[1]).toContain('/t/c/')
})
