import { expect, test } from 'vitest'
import { plainLinks, signLinks } from '../../../src/render/splice.ts'
import { findTags, mapLiteralText } from '../../../src/render/tags.ts'

const SOURCE = '<a href="{{{@links.1}}}">{{name}}</a> ({{{@links.12}}}) {{{@pixel}}}'

const link = (n: number, url = '') => ({ n, url, text: '' })

test('each link becomes base, the reader’s half and its own half; the pixel stays', () => {
  const halves = new Map([
    [1, 'k.1.1.$&.mac'],
    [12, 'k.1.12.u.mac'],
  ])
  expect(signLinks(SOURCE, [link(1), link(12)], halves, 'https://t.example', 'html')).toBe(
    '<a href="https://t.example/t/c/{{{@click}}}/k.1.1.$&.mac">{{name}}</a> (https://t.example/t/c/{{{@click}}}/k.1.12.u.mac) {{{@pixel}}}',
  )
})

test('a link without a signed half is an error, not a dead link', () => {
  const halves = new Map([[1, 'x']])
  expect(() => signLinks(SOURCE, [link(1), link(12)], halves, 'https://t.example', 'text')).toThrow('link 12')
})

test('a link with variables waits between marks for its reader, escaped where it stands in HTML', () => {
  const url = 'https://x.example/?a=1&b={{default b "&"}}'
  const links = [
    { ...link(1, url), origin: 'https://x.example' },
    { ...link(12, '{{url}}'), origin: null },
  ]
  expect(signLinks(SOURCE, links, new Map(), 'https://t.example', 'html')).toBe(
    '<a href="{{{@link}}}1 https://x.example https://x.example/?a=1&amp;b={{default b "&"}}{{{@link}}}">{{name}}</a>' +
      ' ({{{@link}}}12 * {{url}}{{{@link}}}) {{{@pixel}}}',
  )
  expect(signLinks('{{{@links.1}}}', links, new Map(), 'https://t.example', 'text')).toBe(
    `{{{@link}}}1 https://x.example ${url}{{{@link}}}`,
  )
})

test('previews get the addresses themselves, escaped where they stand in HTML', () => {
  const links = [link(1, 'https://x.example/?a=1&b="2"'), { ...link(2, 'https://x.example/?a&{{b "&"}}'), origin: 'x' }]
  expect(plainLinks('<a href="{{{@links.1}}}">', links, 'html')).toBe(
    '<a href="https://x.example/?a=1&amp;b=&quot;2&quot;">',
  )
  expect(plainLinks('({{{@links.1}}})', links, 'text')).toBe('(https://x.example/?a=1&b="2")')
  expect(plainLinks('{{{@links.2}}}{{{@links.3}}}', links, 'html')).toBe(
    'https://x.example/?a&amp;{{b "&"}}{{{@links.3}}}',
  )
})

test.each([
  ['a{{b}}c{{{d}}}e', ['{{b}}', '{{{d}}}']],
  ['{{x "}}"}}{{y \'}}\'}}{{[a }} b]}}', ['{{x "}}"}}', "{{y '}}'}}", '{{[a }} b]}}']],
  ['{{! it\'s " }}x{{!-- }} " --}}y', ['{{! it\'s " }}', '{{!-- }} " --}}']],
  ['{{~{x}~}}{{~x~}}{{{{raw}}}}{{z}}{{{{/raw}}}}', ['{{~{x}~}}', '{{~x~}}', '{{{{raw}}}}', '{{z}}', '{{{{/raw}}}}']],
  ['\\{{x}} {{"a\\"}}"}}', ['\\{{x}}', '{{"a\\"}}"}}']],
  ['{{#if\n  a}}\n{{/if}} } {', ['{{#if\n  a}}', '{{/if}}']],
])('tags of %j', (text, tags) => {
  expect(findTags(text).map((tag) => tag.source)).toEqual(tags)
  expect(mapLiteralText(text, (literal) => literal)).toBe(text)
})

test.each(['{{', '{{!', '{{!--', '{{!--a}}', '{{"', '{{"\\"', "{{'\\'", '{{[', '{{{{', '{{~{', '{{a ', '\\{{', '}}'])(
  'a source full of %s is read in one go',
  (part) => {
    expect(findTags(part.repeat(200_000)).length).toBeLessThanOrEqual(200_000)
    expect(findTags(`${part.repeat(200_000)}}}`).length).toBeLessThanOrEqual(200_001)
  },
)
