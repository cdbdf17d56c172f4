import { afterEach, describe, expect, test, vi } from 'vitest'
import { authenticationFindings } from '../../../src/campaigns/check/authentication.ts'
import { imageFindings } from '../../../src/campaigns/check/images.ts'
import { linkFindings } from '../../../src/campaigns/check/links.ts'
import { PROVIDER_OF } from '../../../src/campaigns/check/mailbox-providers.ts'
import { readPage } from '../../../src/campaigns/check/page.ts'
import { sizeFindings } from '../../../src/campaigns/check/size.ts'
import { subjectFindings } from '../../../src/campaigns/check/subject.ts'
import { textPartFindings } from '../../../src/campaigns/check/text-part.ts'
import { neededIn } from '../../../src/templates/variables.ts'

const codes = (findings: readonly { code: string }[]) => findings.map(({ code }) => code)
const PROSE = `<p>${'Words that are worth reading. '.repeat(20)}</p>`
const PIXEL = '<img src="https://t.example/t/o/x.gif" width="1" height="1" alt="" style="display:block">'

describe('images', () => {
  test.each([
    ['with all they need', '<img src="a.png" alt="A cat" width="600">', []],
    ['that are decoration', '<img src="a.png" alt="" width="100%">', []],
    ['without alt text', '<img src="a.png" width="600">', ['image_without_alt']],
    ['without width', '<img src="a.png" alt="">', ['image_without_width']],
    ['with a width that is style only', '<img src="a.png" alt="" style="width:600px">', ['image_without_width']],
    ['with a width that is no number', '<img src="a.png" alt="" width="auto">', ['image_without_width']],
    ['that nobody sees', '<div style="display: none"><img src="a.png"></div>', []],
    ['for Outlook alone', '<!--[if mso]><img src="a.png"><![endif]-->', []],
  ])('%s', (_, html, expected) => {
    expect(codes(imageFindings(readPage(PROSE + html + PIXEL)))).toEqual(expected)
  })

  test('are named, three at most', () => {
    const html = PROSE + [1, 2, 3, 4, 5].map((n) => `<img src="${n}.png" alt="">`).join('')
    expect(imageFindings(readPage(html))[0]?.detail).toMatch(/^5 images .*1\.png, 2\.png, 3\.png and 2 more/)
  })

  test('with next to no text beside them', () => {
    const image = '<a href="https://acme.example"><img src="a.png" alt="Sale" width="600"></a>'
    expect(codes(imageFindings(readPage(`${image}<p>Acme, 1 Main Street</p>`)))).toEqual(['mostly_images'])
    expect(imageFindings(readPage(`<p>Acme, 1 Main Street</p>${PIXEL}`))).toEqual([])
  })
})

test.each([
  ['News for you', []],
  ['a'.repeat(60), []],
  ['a'.repeat(61), ['subject_long']],
  ['😀'.repeat(60), []],
  ['BIG SALE TODAY', ['subject_capitals']],
  ['NASA and ESA', []],
  ['IKEA', []],
  ['大きなセールのお知らせです', []],
  ['Re: your order', ['subject_reply']],
  ['AW:Ihre Frage', ['subject_reply']],
  ['Fwd: news', ['subject_reply']],
  ['Regarding: news', []],
])('the subject "%s"', (subject, expected) => {
  expect(codes(subjectFindings([subject]))).toEqual(expected)
})

describe('links', () => {
  const ask = (links: string[], hrefs: string[] = []) =>
    codes(
      linkFindings(
        links.map((url, n) => ({ n, url, text: '' })),
        hrefs,
        'http://localhost:8787',
      ),
    )

  test.each([
    ['https://acme.example/news', []],
    ['https://bit.ly/3xyz', ['link_shortener']],
    ['https://WWW.TinyURL.com/x', ['link_shortener']],
    ['https://notbit.ly/x', []],
    ['http://acme.example', ['insecure_link']],
    ['http://bit.ly/{{attributes.code}}', ['link_shortener', 'insecure_link']],
    ['http://{{attributes.host}}/x', []],
    ['https://acme.example/{{{first_name}}}', []],
    ['mailto:a@acme.example', []],
  ])('to %s', (url, expected) => {
    expect(ask([url])).toEqual(expected)
  })

  test('that are not tracked count, those to ourselves do not', () => {
    expect(ask([], ['https://goo.gl/x'])).toEqual(['link_shortener'])
    expect(ask([], ['http://localhost:8787/t/c/a/b'])).toEqual([])
  })
})

test('a text part that says next to nothing of what the HTML says', () => {
  const page = readPage(PROSE)
  const said = (text: string) => codes(textPartFindings(page, text))
  expect(said('View this mail in your browser: https://acme.example/a/very/long/address/of/a/page')).toEqual([
    'text_part_short',
  ])
  expect(said('Words that are worth reading. '.repeat(6))).toEqual([])
  expect(codes(textPartFindings(readPage('<p>Short</p>'), ''))).toEqual([])
})

test('HTML that Gmail would cut', () => {
  expect(sizeFindings(102 * 1024)).toEqual([])
  expect(codes(sizeFindings(102 * 1024 + 1))).toEqual(['clipped'])
})

test('each domain belongs to one mailbox provider', () => {
  for (const domain of PROVIDER_OF.keys()) expect(domain).toMatch(/^[a-z0-9.-]+\.[a-z]{2,}$/)
  expect(PROVIDER_OF.get('googlemail.com')).toBe('Gmail')
  expect(PROVIDER_OF.get('acme.example')).toBeUndefined()
})

describe('what DNS says', () => {
  afterEach(() => vi.useRealTimers())
  const unknown = [{ code: 'not_looked_up', field: 'sender_id', detail: expect.stringContaining('acme.example') }]

  test('is passed on', async () => {
    const found = [{ code: 'no_spf', field: 'sender_id', detail: 'no SPF' }]
    const asked: string[] = []
    const check = async (domain: string) => {
      asked.push(domain)
      return found
    }
    expect(await authenticationFindings(check, 'news@acme.example')).toEqual(found)
    expect(asked).toEqual(['acme.example'])
    expect(await authenticationFindings(undefined, 'news@acme.example')).toEqual([])
  })

  test('is not known where the lookup fails, or takes too long', async () => {
    const failing = () => Promise.reject(new Error('SERVFAIL'))
    expect(await authenticationFindings(failing, 'news@acme.example')).toEqual(unknown)
    vi.useFakeTimers()
    const asked = authenticationFindings(() => new Promise(() => undefined), 'news@acme.example')
    await vi.runAllTimersAsync()
    expect(await asked).toEqual(unknown)
  })
})

test.each([
  ['Hi {{first_name}}', ['first_name']],
  ['Hi {{default first_name "you"}}', []],
  ['Hi {{upper (default first_name "you")}}', []],
  ['Hi {{upper first_name}}', ['first_name']],
  ['{{#if first_name}}Hi {{first_name}}{{else}}Hi{{/if}}', []],
  ['{{#if first_name}}{{#if x}}Hi {{first_name}}{{/if}}{{/if}}', []],
  ['{{#if (and first_name last_name)}}{{first_name}} {{last_name}}{{/if}}', []],
  ['{{#if last_name}}{{first_name}}{{/if}}', ['first_name']],
  ['{{#unless first_name}}you{{else}}{{first_name}}{{/unless}}', []],
  ['{{#unless first_name}}{{last_name}}{{/unless}}', ['last_name']],
  ['{{#each attributes.items}}{{name}}{{/each}}', []],
  ['{{#with attributes.address}}{{city}}{{/with}}', ['attributes.address.city']],
  ['{{#if first_name}}a{{/if}} {{first_name}}', ['first_name']],
])('%s cannot do without %j', (source, names) => {
  expect(neededIn(source)).toEqual(names)
})
