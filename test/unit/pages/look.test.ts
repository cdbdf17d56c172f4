import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contrast, readableOn, textOn } from '../../../src/pages/contrast.ts'
import { lookingPage, lookOf, NO_BRAND } from '../../../src/pages/look.ts'
import { de } from '../../../src/pages/words/de.ts'
import { en } from '../../../src/pages/words/en.ts'

const colour = fc.integer({ min: 0, max: 0xffffff }).map((number) => `#${number.toString(16).padStart(6, '0')}`)

test('on a button of any colour the text can be read, and on any ground what is made of that colour', () => {
  fc.assert(
    fc.property(colour, colour, (color, ground) => {
      expect(contrast(color, textOn(color))).toBeGreaterThanOrEqual(4.5)
      expect(contrast(readableOn(ground, color), ground)).toBeGreaterThanOrEqual(4.5)
    }),
    { numRuns: 2000 },
  )
  // What is readable stays as it is.
  expect(readableOn('#ffffff', '#1d4ed8')).toBe('#1d4ed8')
})

const styleIn = (html: string) => /<style>([\s\S]*)<\/style>/.exec(html)?.[1] ?? ''
const hashOf = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`

test.each([null, '#ffcc00', '#000000'])(
  'the policy names the very style of colour %s, and nothing else',
  async (brand_color) => {
    const look = await lookOf({ ...NO_BRAND, brand_color }, en)
    const answer = lookingPage(look, 200, 'Title', '<p>x</p>')
    const style = styleIn(await answer.text())
    expect(answer.headers.get('Content-Security-Policy')).toBe(
      `default-src 'none'; style-src '${hashOf(style)}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    )
    if (brand_color !== null) expect(style).toContain(`--act: ${brand_color};`)
  },
)

test('the house is shown, its text escaped, its pictures let in from where its logo is', async () => {
  const brand = {
    ...NO_BRAND,
    brand_name: '<Acme> & "Co"',
    home_url: 'https://acme.example/',
    privacy_url: 'https://acme.example/privacy',
  }
  const named = await lookOf(brand, de)
  expect(await lookingPage(named, 200, 'T', '').text()).toContain(
    '<header><p>&lt;Acme&gt; &amp; &quot;Co&quot;</p></header>',
  )
  expect(named.policy).not.toContain('img-src')
  const look = await lookOf({ ...brand, brand_logo_url: 'https://cdn.acme.example:8443/l.png?x=1&y' }, de)
  const html = await lookingPage(look, 200, 'T', '').text()
  expect(html).toContain('<html lang="de">')
  expect(html).toContain(
    '<img src="https://cdn.acme.example:8443/l.png?x=1&amp;y" alt="&lt;Acme&gt; &amp; &quot;Co&quot;">',
  )
  expect(html).toContain(
    '<a href="https://acme.example/">Unsere Website</a> <a href="https://acme.example/privacy">Datenschutz</a>',
  )
  expect(look.policy).toContain("; img-src https://cdn.acme.example:8443; form-action 'self'")
})

test('without a house there is neither header nor footer', async () => {
  const html = await lookingPage(await lookOf(NO_BRAND, en), 200, 'T', '').text()
  expect(html).not.toMatch(/<header>|<footer>/)
})
