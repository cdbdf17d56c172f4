import { expect, test } from 'vitest'
import { takeSnapshot } from '../../../src/campaigns/snapshot.ts'
import { clickMap, type MappedMail } from '../../../src/reports/click-map.ts'
import { compileTemplate } from '../../../src/templates/compile.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../../src/tokens/development.ts'
import { parseSigningKeys } from '../../../src/tokens/keys.ts'

const sender = {
  ...{ from_name: 'Acme', from_email: 'news@acme.example', reply_to: null, account: null },
  postal_address: 'Acme, 1 Main Street',
}
const content = { sender, preheader: 'In short', list: { id: 1, name: 'List' }, campaign: { id: 7, name: 'News' } }

async function mailOf(source: string, started: boolean, format: 'mjml' | 'html' = 'html'): Promise<MappedMail> {
  const compiled = await compileTemplate({ source, format, text_source: null })
  if (!started) return { ...content, html: compiled.html }
  return takeSnapshot(
    {
      ...{ ...content, template_id: 1, template_version: 1, subject: 's', utm: { source: 'letter' } },
      ...{ tracking_url: 'https://t.acme.example', public_url: 'https://acme.example' },
      ...{ track_opens: 'individual', track_clicks: 'individual' },
    },
    compiled,
    await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS),
  )
}

const badges = (...numbers: number[]) =>
  new Map(numbers.map((n) => [n, { text: `badge ${n}`, title: `link ${n}`, strong: n === 1 }]))
/** The links of a map, each with the badge on it. */
const linksOf = (html: string) =>
  Array.from(html.matchAll(/<a[^>]*>(.*?)<\/a>/gs), ([, inner = '']) => inner.replace(/<[^>]+>/g, '|'))

const SOURCE = `<html><body><p>Dear {{first_name}}</p>
<a href="https://shop.example/?a=1&amp;b=2">one</a> <a href='https://shop.example/{{#if attributes.x}}x y{{else}}z{{/if}}'>two</a>
<a href=https://shop.example/three target=_blank>three</a> <a href="{{attributes.page}}">four</a>
<a href="mailto:us@acme.example">us</a> <a href="{{unsubscribe_url}}">leave</a> {{sender.postal_address}}
<form action="https://shop.example/search"><input name="q"></form></body></html>`

test.each([true, false])('marks the links of a mail, started: %s', async (started) => {
  const html = clickMap(await mailOf(SOURCE, started), badges(1, 2, 3, 4)) ?? ''
  expect(html).toContain('<p>Dear Ada</p>')
  expect(linksOf(html)).toEqual(['one|badge 1|', 'two|badge 2|', 'three|badge 3|', 'four|badge 4|', 'us', 'leave'])
  expect(html).not.toMatch(/href|action=|target=|shop\.example|emk-link|\{\{|\/t\//)
})

test('marks only what it is given', async () => {
  expect(linksOf(clickMap(await mailOf(SOURCE, true), badges(2)) ?? '')).toEqual([
    'one',
    'two|badge 2|',
    'three',
    'four',
    'us',
    'leave',
  ])
})

test('marks MJML, buttons and pictures too, and lets in no style sheets', async () => {
  const source = `<mjml><mj-head><mj-font name="Raleway" href="https://fonts.example/raleway.css" /></mj-head><mj-body><mj-section><mj-column>
<mj-button href="https://shop.example/buy" font-family="Raleway">Buy</mj-button>
<mj-image src="https://shop.example/a.png" alt="A" href="https://shop.example/a" />
<mj-text>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Leave</a></mj-text></mj-column></mj-section></mj-body></mjml>`
  const html = clickMap(await mailOf(source, true, 'mjml'), badges(1, 2)) ?? ''
  expect(linksOf(html).map((text) => text.replace(/\s+/g, ''))).toEqual(['Buy|badge1|', '||badge2|', 'Leave'])
  expect(html).toContain('src="https://shop.example/a.png"')
  expect(html).not.toMatch(/<link|href=/)
})

test('there is none of a mail that the sample cannot fill in', async () => {
  const mail = await mailOf(SOURCE, true)
  expect(clickMap({ ...mail, html: '{{#each}}' }, badges(1))).toBeNull()
})
