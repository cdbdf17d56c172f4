import { expect, test } from 'vitest'
import { plainLinks, signLinks } from '../../../src/render/splice.ts'
import { findTags, mapLiteralText } from '../../../src/render/tags.ts'

const SOURCE = '<a href="{{{@links.1}}}">{{name}}</a> ({{{@links.12}}}) {{{@pixel}}}'

test('each link becomes base, the reader’s half and its own half; the pixel stays', () => {
  const halves = new Map([
    [1, 'k.1.1.$&.mac'],
    [12, 'k.1.12.u.mac'],
  ])
  expect(signLinks(SOURCE, halves, 'https://t.example')).toBe(
    '<a href="https://t.example/t/c/{{{@click}}}/k.1.1.$&.mac">{{name}}</a> (https://t.example/t/c/{{{@click}}}/k.1.12.u.mac) {{{@pixel}}}',
  )
})

test('a link without a signed half is an error, not a dead link', () => {
  expect(() => signLinks(SOURCE, new Map([[1, 'x']]), 'https://t.example')).toThrow('link 12')
})

test('previews get the addresses themselves, escaped where they stand in HTML', () => {
  const links = [{ n: 1, url: 'https://x.example/?a=1&b="2"', text: '' }]
  expect(plainLinks('<a href="{{{@links.1}}}">', links, 'html')).toBe(
    '<a href="https://x.example/?a=1&#38;b=&#34;2&#34;">',
  )
  expect(plainLinks('({{{@links.1}}})', links, 'text')).toBe('(https://x.example/?a=1&b="2")')
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
