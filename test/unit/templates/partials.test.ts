import { describe, expect, test } from 'vitest'
import { compileTemplate, type TemplateSource } from '../../../src/templates/compile.ts'
import type { Partial } from '../../../src/templates/partial.ts'
import { problemsOf, rendered } from './compiling.ts'

type Written = [name: string, format: 'mjml' | 'html', source: string, text_source?: string]

const partialsOf = (...written: Written[]) => ({
  names: written.map(([name]) => name),
  found: new Map(
    written.map(([name, format, source, text_source = null], n): [string, Partial] => [
      name,
      { id: n + 1, name, version: n + 10, format, source, text_source },
    ]),
  ),
})

const html = (source: string, text_source: string | null = null): TemplateSource => ({
  format: 'html',
  source,
  text_source,
})
const mjml = (body: string, head = ''): TemplateSource => ({
  format: 'mjml',
  source: `<mjml><mj-head>${head}</mj-head><mj-body>\n${body}\n</mj-body></mjml>`,
  text_source: null,
})

const FOOTER: Written = [
  'footer',
  'html',
  '<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">leave</a> <a href="https://b.example/">Home</a></p>\n',
]
const HEADER: Written = [
  'header',
  'mjml',
  '<mj-section><mj-column>\n<mj-text>{{title}} <a href="https://a.example/">Shop</a></mj-text></mj-column></mj-section>',
]

/** Outlook's tables and ours, each opened as often as it is closed. */
function tablesIn(markup: string): [number, number] {
  return [markup.split('<table').length, markup.split('</table>').length]
}

describe('a partial', () => {
  test('stands where it is called, with what is known there, and its links are tracked', async () => {
    const source = '<ul>{{#each items}}<li>{{> item}}</li>{{/each}}</ul>{{> footer}}'
    const compiled = await compileTemplate(
      html(source),
      partialsOf(['item', 'html', '{{sku}} of {{@root.email}}'], FOOTER),
    )
    const mail = rendered(compiled, {
      items: [{ sku: 'A' }, { sku: 'B' }],
      email: 'e',
      sender: { postal_address: 'S' },
    })
    expect(mail.html).toContain('<ul><li>A of e</li><li>B of e</li></ul><p>S <a')
    expect(mail.text).toContain('S leave () Home (https://b.example/)')
    expect(compiled.links).toEqual([{ n: 1, url: 'https://b.example/', text: 'Home' }])
    expect(compiled.variables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['items[].sku', 'sender.postal_address', 'unsubscribe_url']),
    )
    expect(compiled.partials).toEqual([
      { id: 1, name: 'item', version: 10 },
      { id: 2, name: 'footer', version: 11 },
    ])
  })

  test('of MJML is compiled with the mail, section or column, bare or conditional', async () => {
    const body = `{{> header}}
<mj-section>{{> ad}}</mj-section>
<mj-raw>{{#if vip}}</mj-raw>{{> header}}<mj-raw>{{/if}}</mj-raw>`
    const ad: Written = ['ad', 'mjml', '<mj-column><mj-text>Ad</mj-text></mj-column>']
    const compiled = await compileTemplate(mjml(body), partialsOf(HEADER, ad))
    const plain = rendered(compiled, { title: 'T' }).html
    expect(plain.match(/T <a href="https:\/\/a\.example\/">Shop/g)).toHaveLength(1)
    expect(plain).toContain('Ad')
    expect(plain).not.toMatch(/<mj-|\{\{/)
    const vip = rendered(compiled, { title: 'T', vip: true }).html
    expect(vip.match(/Shop/g)).toHaveLength(2)
    for (const markup of [plain, vip]) expect(new Set(tablesIn(markup)).size).toBe(1)
  })

  test('of MJML for the head is taken into the head', async () => {
    const theme: Written = ['theme', 'mjml', '<mj-attributes><mj-text color="#123456" /></mj-attributes>']
    const column = '<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>'
    expect(rendered(await compileTemplate(mjml(column, '{{> theme}}'), partialsOf(theme))).html).toContain('#123456')
  })

  test('takes arguments and a context, each call its own', async () => {
    const button: Written = ['button', 'html', '<a href="https://c.example/">{{label}}, {{first_name}}</a>']
    const source = '{{> button label="Buy"}}|{{> button person label="Go"}}|{{> button}}'
    const compiled = await compileTemplate(html(source), partialsOf(button))
    const mail = rendered(compiled, { first_name: 'Ada', person: { first_name: 'Bo' }, label: 'None' })
    expect(mail.html.replace(/<\/?a[^>]*>/g, '')).toBe('Buy, Ada|Go, Bo|None, Ada')
    expect(compiled.links.map(({ n }) => n)).toEqual([1, 2, 3])
    for (const n of [1, 2, 3]) expect(compiled.html.split(`{{{@links.${n}}}}`)).toHaveLength(2)
  })

  test('of MJML takes arguments, too', async () => {
    const compiled = await compileTemplate(
      mjml('{{> header title="One"}}\n{{> header title="Two"}}'),
      partialsOf(HEADER),
    )
    const mail = rendered(compiled)
    expect(mail.html).toMatch(/One <a[\s\S]*Two <a/)
    expect(mail.text).toMatch(/One Shop \(https:\/\/a\.example\/\)\s+Two Shop/)
    expect(new Set(tablesIn(mail.html)).size).toBe(1)
  })

  test('can be laid around a block, and a block stands for one that is not there', async () => {
    const layout: Written = ['layout', 'html', '<b>{{> @partial-block}}</b>']
    const source = '{{#> layout}}a{{#> layout}}b{{/layout}}{{/layout}}{{#> nothing}}c{{/nothing}}'
    expect(rendered(await compileTemplate(html(source), partialsOf(layout))).html).toBe('<b>a<b>b</b></b>c')
  })

  test('calls others, and the template may define its own of the same name', async () => {
    const partials = partialsOf(['outer', 'html', '[{{> inner}}]'], ['inner', 'html', 'shared'])
    expect(rendered(await compileTemplate(html('{{> outer}}'), partials)).html).toBe('[shared]')
    const own = '{{#*inline "inner"}}own{{/inline}}{{> inner}}'
    const compiled = await compileTemplate(html(own), partials)
    expect([rendered(compiled).html, compiled.partials]).toEqual(['own', []])
  })

  test('may be chosen by data among those that are wrapped in inline ones', async () => {
    const source =
      '{{#*inline "gold"}}{{> a}}{{/inline}}{{#*inline "basic"}}{{> b}}{{/inline}}{{> (lookup attributes "tier")}}'
    const compiled = await compileTemplate(html(source), partialsOf(['a', 'html', 'AAA'], ['b', 'html', 'BBB']))
    expect(rendered(compiled, { attributes: { tier: 'basic' } }).html).toBe('BBB')
  })

  test('keeps the white space that its tag keeps', async () => {
    const partials = partialsOf(['p', 'html', 'x\n'])
    expect(rendered(await compileTemplate(html('<pre>a {{> p}} b {{~> p ~}} c</pre>'), partials)).html).toBe(
      '<pre>a x bxc</pre>',
    )
  })

  test.each([
    ['{{!-- {{> nothing}} --}}a', 'a'],
    ['\\{{> nothing}}', '{{> nothing}}'],
  ])('is not called by %s', async (source, expected) => {
    const { html: out } = rendered(await compileTemplate(html(source), partialsOf(['p', 'html', 'x'])))
    expect(out.replace('&gt;', '>')).toBe(expected)
  })

  test('in the author’s text is the partial’s own text, or made from its markup', async () => {
    const partials = partialsOf(FOOTER, HEADER, [
      'button',
      'html',
      '<a href="https://c.example/">x</a>',
      '[{{label}}]\n',
    ])
    const text = 'Hi\n{{> footer}}\n{{> header}}\n{{> button label="Go"}}\nBye'
    const compiled = await compileTemplate(html('x', text), partials)
    expect(compiled.links.map(({ url }) => url)).toEqual(['https://b.example/', 'https://a.example/'])
    expect(rendered(compiled, { title: 'T', sender: { postal_address: 'S' }, unsubscribe_url: 'U' }).text).toBe(
      'Hi\nS leave (U) Home (https://b.example/)\nT Shop (https://a.example/)\n[Go]\nBye',
    )
  })
})

test('a partial that another one calls is recorded, too, in markup as in text', async () => {
  const partials = partialsOf(['outer', 'html', '{{> inner}}'], ['inner', 'html', 'x'], ['other', 'html', 'y'])
  const names = async (template: TemplateSource) =>
    (await compileTemplate(template, partials)).partials.map(({ name }) => name)
  expect(await names(html('{{> outer}}'))).toEqual(['outer', 'inner'])
  expect(await names(html('{{> other}}', '{{> outer}}'))).toEqual(['other', 'outer', 'inner'])
})

describe('is refused with its line and reason:', () => {
  const partials = partialsOf(
    FOOTER,
    HEADER,
    ['a', 'html', '1\n{{> b}}'],
    ['b', 'html', '{{> a}}'],
    ['bad', 'html', '\n<p>\n<a href="javascript:alert(1)">x</a></p>'],
    ['theme', 'mjml', '<mj-attributes><mj-text color="#123456" /></mj-attributes>'],
  )
  const column = (inside: string) => `<mj-section><mj-column><mj-text>${inside}</mj-text></mj-column></mj-section>`

  test.each<[string, TemplateSource, object]>([
    [
      'an unknown name',
      html('x\n\n{{> foter}}'),
      { line: 3, detail: 'There is no partial named "foter". Did you mean "footer"?' },
    ],
    [
      'a name that every object has',
      html('{{> constructor}}'),
      { line: 1, detail: expect.stringContaining('no partial') },
    ],
    ['a name that every object inherits', html('{{> __proto__}}'), { line: 1 }],
    ['a circle', html('\n{{> a}}'), { line: 2, detail: expect.stringContaining('a > b > a') }],
    ['MJML in HTML', html('\n{{> header}}'), { line: 2, detail: expect.stringContaining('is MJML') }],
    [
      'MJML inside a text',
      mjml(column('\n{{> header}}\n')),
      { line: 3, detail: 'In the partial "header", line 1: <mj-section> is not compiled inside <mj-text>.' },
    ],
    [
      'MJML around a block',
      mjml('{{#> header}}x{{/header}}'),
      { line: 2, detail: expect.stringContaining('not as a block') },
    ],
    [
      'arguments in the head',
      mjml(column('x'), '{{> theme a=b}}'),
      { line: 1, detail: expect.stringContaining('no arguments') },
    ],
    ['HTML between sections', mjml('{{> footer}}'), { line: 2 }],
    [
      'what a partial may not hold',
      html('x\n{{> bad}}'),
      { line: 2, detail: expect.stringMatching(/^In the partial "bad", line 3: /) },
    ],
    ['an unknown name in the text', html('x', 'a\n{{> nope}}'), { field: 'text_source', line: 2 }],
  ])('%s', async (_, template, expected) => {
    const [problem] = await problemsOf(compileTemplate(template, partials))
    expect(problem).toMatchObject(expected)
  })

  test('few lines that ask for gigabytes', async () => {
    const levels = Array.from({ length: 12 }, (_, n): Written => {
      return [`l${n}`, 'html', n === 0 ? 'x'.repeat(1000) : `{{> l${n - 1}}}`.repeat(10)]
    })
    expect(await problemsOf(compileTemplate(html('\n{{> l11}}'), partialsOf(...levels)))).toMatchObject([
      { line: 2, detail: expect.stringContaining('more than 1000000 characters') },
    ])
  })
})

describe('lines', () => {
  test('of what comes after a partial are those of the author', async () => {
    const partials = partialsOf(['p', 'html', '1\n2\n3\n4'])
    const source = 'a\n{{> p}}\n{{first_name}} {{> p}}{{last_name}}\n{{email}}'
    const { variables } = await compileTemplate(html(source), partials)
    expect(variables.map(({ name, lines }) => [name, ...lines])).toEqual([
      ['email', 4],
      ['first_name', 3],
      ['last_name', 3],
    ])
  })

  test('of warnings about what stands in a partial are those of the tag', async () => {
    const partials = partialsOf(['p', 'html', 'x\n{{{attributes.bio}}}\n'])
    expect((await compileTemplate(html('\n\n{{> p}}'), partials)).warnings).toMatchObject([
      { code: 'unescaped_variable', line: 3, detail: expect.stringMatching(/^In the partial "p", line 2: /) },
    ])
  })
})
