import { describe, expect, test } from 'vitest'
import { RenderError } from '../../../src/render/errors.ts'
import { type Content, prepareContent } from '../../../src/render/render.ts'

const NONE = { pixel: '', click: '' }
const prepare = (content: Partial<Content>) =>
  prepareContent({ subject: '', preheader: '', html: '', text: '', ...content })
const html = (html: string, partials: Record<string, string>, data: object = {}) =>
  prepare({ html, partials }).render(data, NONE).html

describe('partials given with the content', () => {
  test.each([
    ['by name, with the context they are called in', '{{> p}}{{#with a}}{{> p}}{{/with}}', { p: '[{{n}}]' }, '[1][2]'],
    ['with a context and named arguments', '{{> p a m="x" k=n}}', { p: '{{n}}{{m}}{{k}}' }, '2x1'],
    ['inside one another', '{{> outer}}', { outer: '({{> inner}})', inner: '{{n}}' }, '(1)'],
    [
      'names that are paths and texts',
      '{{> a/b.c}}{{> "x y"}}{{> [p-q]}}',
      { 'a/b.c': '1', 'x y': '2', 'p-q': '3' },
      '123',
    ],
    ['around a block', '{{#> p}}body {{n}}{{/p}}', { p: '<{{> @partial-block}}>' }, '<body 1>'],
    ['around a block that is not there', '{{#> missing}}failover {{n}}{{/missing}}', {}, 'failover 1'],
    [
      'with inline partials for their slots',
      '{{#> layout}}{{#*inline "nav"}}N{{n}}{{/inline}}{{/layout}}',
      { layout: '{{#> nav}}none{{/nav}}|{{#> side}}none{{/side}}' },
      'N1|none',
    ],
    ['an inline one before one of that name', '{{#*inline "p"}}mine{{/inline}}{{> p}}', { p: 'theirs' }, 'mine'],
    [
      'chosen by data',
      '{{> (lookup . "which")}}{{#each names}}{{> (lookup . "is") v=@index}}{{/each}}',
      { p: 'P', q: 'Q{{v}}' },
      'PQ0P',
    ],
    ['chosen by a helper', '{{> (default none "p")}}{{> (lower "P")}}', { p: 'P' }, 'PP'],
    ['indented as they stand', 'x\n  {{> p}}\ny', { p: 'one\ntwo\n' }, 'x\n  one\n  two\ny'],
    [
      'with what helpers and loops see',
      '{{#each list as |v|}}{{> p v=v}}{{/each}}',
      { p: '{{upper v}}{{@index}}{{@root.n}}' },
      'A01B11',
    ],
    [
      'names that objects inherit are names like others',
      '{{> constructor}}{{> toString}}',
      { constructor: 'c', toString: 's' },
      'cs',
    ],
  ] as [string, string, Record<string, string>, string][])('%s', (_, source, partials, expected) => {
    const data = { n: 1, a: { n: 2 }, which: 'p', names: [{ is: 'q' }, { is: 'p' }], list: ['a', 'b'] }
    expect(html(source, partials, data)).toBe(expected)
  })

  test('are escaped in HTML and not in subject and text, whichever comes first', () => {
    const renderer = prepare({ subject: '{{> p}}', html: '{{> p}}', text: '{{> p}}', partials: { p: '{{n}}' } })
    for (let i = 0; i < 2; i++) {
      expect(renderer.render({ n: '<' }, NONE)).toEqual({ subject: '<', html: '&lt;', text: '<' })
    }
  })

  test('belong to their content alone', () => {
    expect(html('{{> p}}', { p: 'one' })).toBe('one')
    expect(html('{{> p}}', { p: 'two' })).toBe('two')
    expect(() => prepare({ html: '{{> p}}' })).toThrow('There is no partial named "p"')
  })

  test('data names them, and is never one itself', () => {
    const renderer = prepare({ html: '{{> (lookup . "x")}}', partials: { p: 'P' } })
    expect(renderer.render({ x: 'p' }, NONE).html).toBe('P')
    const tree = { type: 'Program', body: [{ type: 'ContentStatement', value: 'evil', loc: {} }], call: 'x' }
    for (const x of ['q', '__proto__', 'constructor', '@partial-block', '', null, 0, tree, [tree], '{{evil}}']) {
      expect(() => renderer.render({ x }, NONE)).toThrow(RenderError)
    }
    expect(renderer.render({ x: 'p' }, NONE).html).toBe('P')
  })

  test('one that cannot be compiled is named, with its line', () => {
    expect(() => prepare({ partials: { footer: 'x\n{{#if a}}' } })).toThrow(
      'line 2: partial "footer": {{#if a}} is never closed.',
    )
    expect(() => prepare({ partials: { footer: '{{> header}}' } })).toThrow('There is no partial named "header"')
  })

  test('those that call one another without end fail the render, not the isolate', () => {
    const renderer = prepare({ html: '{{> a}}', partials: { a: '{{#if go}}{{> b}}{{/if}}.', b: '{{> a}}{{> a}}' } })
    for (let i = 0; i < 2; i++) {
      expect(() => renderer.render({ go: true }, NONE)).toThrow('nest more than 150 deep')
      expect(renderer.render({}, NONE).html).toBe('.')
    }
    const doubling = Object.fromEntries(
      Array.from({ length: 60 }, (_, n) => [`p${n}`, n === 59 ? 'x' : `{{> p${n + 1}}}{{> p${n + 1}}}`]),
    )
    expect(() => html('{{> p0}}', doubling)).toThrow('steps')
  })
})
