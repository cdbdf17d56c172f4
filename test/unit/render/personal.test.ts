import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DeadLinkError, RenderError } from '../../../src/render/errors.ts'
import { parseLinkHosts } from '../../../src/render/link-hosts.ts'
import { prepareContent } from '../../../src/render/render.ts'
import { signLinks } from '../../../src/render/splice.ts'
import { isTrackable } from '../../../src/tokens/link.ts'
import { compileHtmlSource } from '../templates/compiling.ts'

const OURS = 'https://t.example/u/token'

/** Compiles, takes the snapshot's step, and renders with links "signed" by naming what was signed. */
async function mailOf(html: string, data: object, hosts = '', text_source: string | null = null) {
  const compiled = await compileHtmlSource(html, text_source)
  const halves = new Map(compiled.links.filter(({ origin }) => origin === undefined).map(({ n }) => [n, `half${n}`]))
  const splice = (part: 'html' | 'text') => signLinks(compiled[part], compiled.links, halves, 'https://t.example', part)
  const content = { subject: '', preheader: '', html: splice('html'), text: splice('text') }
  const renderer = prepareContent(content)
  const signed: [number, string][] = []
  const tracking = { pixel: '', click: 'me' }
  const variables = { ...data, unsubscribe_url: OURS }
  const mail = await renderer.renderTracked(variables, tracking, {
    hosts: parseLinkHosts(hosts),
    direct: [OURS],
    async sign(n, url) {
      if (!isTrackable(url)) throw new RangeError('as the real one')
      signed.push([n, url])
      return `https://t.example/t/c/me/r${signed.length}`
    },
  })
  return { ...mail, signed, plain: renderer.render(variables, tracking) }
}

test('is signed as its recipient sees it, in both parts, and stands between untouched markup', async () => {
  const { html, text, signed, plain } = await mailOf(
    '<p>{{name}} <a class="{{c}}" href="https://x.example/{{id}}?a=1&amp;q={{urlencode q}}#{{h}}">go</a> <a href="https://y.example">y</a></p>',
    { name: '<A>', c: 'x', id: 7, q: 'a&b c', h: 'é' },
  )
  const url = 'https://x.example/7?a=1&q=a%26b%20c#%C3%A9'
  expect(signed).toEqual([
    [1, url],
    [1, url],
  ])
  expect(html).toBe(
    '<p>&lt;A&gt; <a class="x" href="https://t.example/t/c/me/r1">go</a> <a href="https://t.example/t/c/me/half2">y</a></p>',
  )
  expect(text).toBe('<A> go (https://t.example/t/c/me/r2) y (https://t.example/t/c/me/half2)\n')
  expect(plain.html).toContain('href="https://x.example/7?a=1&amp;q=a%26b%20c#é"')
  expect(plain.text).toContain('go (https://x.example/7?a=1&q=a%26b%20c#é)')
})

test('follows loops, conditions and block parameters', async () => {
  const { html, signed } = await mailOf(
    '{{#each items as |item|}}<a href="https://x.example/{{item.id}}/{{@index}}/{{../of}}">{{item.id}}</a>{{/each}}' +
      '{{#if none}}<a href="https://x.example/none/{{of}}">n</a>{{/if}}',
    { items: [{ id: 'a' }, { id: 'b' }], of: 'z' },
    '',
    'text',
  )
  expect(signed).toEqual([
    [1, 'https://x.example/a/0/z'],
    [1, 'https://x.example/b/1/z'],
  ])
  expect(html).toBe('<a href="https://t.example/t/c/me/r1">a</a><a href="https://t.example/t/c/me/r2">b</a>')
})

test('in Outlook’s comments and in the author’s own text, too', async () => {
  const { html, text, signed } = await mailOf(
    '<!--[if mso]><v:roundrect href="https://x.example/{{id}}"></v:roundrect><![endif]-->',
    { id: 1 },
    '',
    'See https://x.example/?id={{id}}, or else.',
  )
  expect(signed).toEqual([
    [1, 'https://x.example/1'],
    [2, 'https://x.example/?id=1'],
  ])
  expect(html).toContain('<v:roundrect href="https://t.example/t/c/me/r1">')
  expect(text).toBe('See https://t.example/t/c/me/r2, or else.')
})

test.each([
  ['https://shop.example/a?b=c', true],
  ['https://SHOP.example:8443', true],
  ['https://other.example/', false],
  ['https://shop.example.evil.example/', false],
  ['https://shop.example@evil.example/', false],
  ['https://evil.example/?https://shop.example/', false],
  ['https://evil.example\\@shop.example/', false],
])('a variable supplies %s: tracked only if LINK_HOSTS names its host', async (url, tracked) => {
  const { html, signed } = await mailOf('<a href="{{url}}">go</a>', { url }, 'shop.example', 'text')
  expect(signed).toEqual(tracked ? [[1, url]] : [])
  if (!tracked) expect(html).toContain(`<a href="${url.replaceAll('=', '&#x3D;')}">`)
})

test.each([
  ['{{#if a}}{{unsubscribe_url}}{{/if}}', { a: 1 }, OURS],
  ['{{a}}', { a: '#top' }, '#top'],
  ['{{a}}', { a: 'mailto:x@y.example' }, 'mailto:x@y.example'],
  ['{{a}}', { a: 'tel:+49' }, 'tel:+49'],
])('%s with %j stays as it is', async (href, data, expected) => {
  const { html, signed } = await mailOf(`<a href="${href}">go</a>`, data, '*.example', 'text')
  expect(signed).toEqual([])
  expect(html).toBe(`<a href="${expected}">go</a>`)
})

test.each([
  '',
  ' ',
  'www.shop.example',
  '/shop',
  'javascript:alert(1)',
  'java\nscript:x',
  'data:text/html,x',
  'https://',
  'https://a b/',
  'ftp://x/',
  '//shop.example',
])('a variable supplies %j: an error that names the link, and not the data', async (url) => {
  const rendering = mailOf('<a href="{{url}}">go</a>', { url }, 'shop.example', 'text')
  await expect(rendering).rejects.toThrow(new DeadLinkError("link 1 leads nowhere with this recipient's data", 'html'))
  await expect(rendering).rejects.toBeInstanceOf(RenderError)
})

test('an address that data makes too long is an error, too', async () => {
  const rendering = mailOf('<a href="https://x.example/{{a}}">go</a>', { a: 'a'.repeat(8000) })
  await expect(rendering).rejects.toThrow("html: link 1 is too long with this recipient's data")
})

test('no data leads away from the host that the author wrote, or out of the attribute', async () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({
      unit: fc.constantFrom('/', '\\', '@', ':', '.', '?', '#', '%', '"', "'", '<', '>', '&', ' ', '\n', 'a'),
    }),
    fc.constantFrom(
      '//evil.example',
      '/\\evil.example',
      '@evil.example',
      '"><script>',
      '{{{@link}}}2 * https://evil.example/',
    ),
  )
  await fc.assert(
    fc.asyncProperty(nasty, nasty, async (a, b) => {
      const { html, signed } = await mailOf(
        '<a href="https://x.example/{{a}}?q={{b}}#{{{a}}}">go</a><a href=\'https://x.example?{{b}}\'>go</a>',
        { a, b },
        '',
        'text',
      )
      expect(html).toBe('<a href="https://t.example/t/c/me/r1">go</a><a href=\'https://t.example/t/c/me/r2\'>go</a>')
      for (const [, url] of signed) {
        expect(new URL(url).origin).toBe('https://x.example')
        expect(url).toMatch(/^[\x21-\x7e]+$/)
      }
    }),
    { numRuns: 200 },
  )
})
