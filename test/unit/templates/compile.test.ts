import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { prepareContent } from '../../../src/render/render.ts'
import { signLinks } from '../../../src/render/splice.ts'
import { compileHtmlSource, compileMjmlSource, inColumn, problemsOf, rendered } from './compiling.ts'

describe('the HTML is shrunk', () => {
  test('white space and comments go, what they mean stays', async () => {
    const { html } = rendered(
      await compileHtmlSource(
        '<p\n   class="a  b"   id=c  >x   y\n\n   z</p>  <!-- note -->\n<pre>\n  a\n   b</pre><textarea>\n  c  d </textarea><style>\n  a  { b: c }\n</style>',
      ),
    )
    expect(html).toBe(
      '<p class="a  b" id=c>x y\nz</p> \n<pre>\n  a\n   b</pre><textarea>\n  c  d </textarea><style>\n  a  { b: c }\n</style>',
    )
  })

  test('no-break spaces are text', async () => {
    expect(rendered(await compileHtmlSource('<p>a\u00a0\u00a0 b</p>')).html).toBe('<p>a\u00a0\u00a0 b</p>')
  })

  test('text whose style preserves white space is left alone', async () => {
    const source = '<p style="white-space: pre-wrap">a\n   b</p>'
    expect(rendered(await compileHtmlSource(source)).html).toBe(source)
  })

  test('conditional comments and comments that hold tags stay', async () => {
    const source =
      '<!--[if mso]>\n\n<table  width="1">\n  <tr>\n<![endif]--><!-- {{#if a}} -->x<!-- {{/if}} --><!--[if !mso]><!-->y<!--<![endif]-->'
    const compiled = await compileHtmlSource(source)
    expect(rendered(compiled, { a: 1 }).html).toBe(
      '<!--[if mso]>\n<table width="1">\n<tr>\n<![endif]--><!--  -->x<!--  --><!--[if !mso]><!-->y<!--<![endif]-->',
    )
    expect(rendered(compiled).html).not.toContain('x')
  })

  test('lines that hold only a tag still are such lines', async () => {
    expect(rendered(await compileHtmlSource('<p>\n    {{#if a}}\n    x\n    {{/if}}\n</p>'), { a: 1 }).html).toBe(
      '<p>\nx\n</p>',
    )
  })

  test('a third or more of what MJML writes is gone', async () => {
    const text = '<mj-text>x</mj-text>'.repeat(20)
    const { html } = await compileMjmlSource(inColumn(text))
    expect(html.replace(/<style[\s\S]*?<\/style>/g, '')).not.toMatch(/\n[ \t]| {2}/)
    expect(html.length).toBeLessThan(9000)
  })
})

describe('variables', () => {
  test.each([
    ['{{email}}{{attributes.plan}}{{email}}', ['attributes.plan', 'email']],
    ['{{#if a}}{{b}}{{else}}{{c}}{{/if}}{{default d "x"}}{{upper (default e f)}}', ['a', 'b', 'c', 'd', 'e', 'f']],
    [
      '{{#each items}}{{name}}{{../total}}{{@index}}{{this}}{{@root.email}}{{/each}}',
      ['email', 'items', 'items[]', 'items[].name', 'total'],
    ],
    [
      '{{#each items as |item i|}}{{item.name}}{{i}}{{#each item.tags}}{{../sku}}{{.}}{{/each}}{{/each}}',
      ['items', 'items[].name', 'items[].sku', 'items[].tags', 'items[].tags[]'],
    ],
    [
      '{{#with address}}{{city}}{{#with geo as |g|}}{{g.lat}}{{/with}}{{../email}}{{/with}}',
      ['address', 'address.city', 'address.geo', 'address.geo.lat', 'email'],
    ],
    ['{{#list}}{{x}}{{/list}}', ['list', 'list[].x']],
    ['{{#*inline "p"}}{{inner}}{{/inline}}{{> p a=b}}', ['b']],
    ['<a href="{{attributes.url}}">{{! {{no}} }}</a>', ['attributes.url']],
  ])('of %s', async (source, expected) => {
    expect((await compileHtmlSource(source)).variables).toEqual(expected)
  })

  test('of the author’s text count, too', async () => {
    expect((await compileHtmlSource('{{a}}', '{{b}}')).variables).toEqual(['a', 'b'])
  })
})

describe('warnings', () => {
  test('what Gmail would clip, counted in bytes', async () => {
    expect((await compileHtmlSource('x'.repeat(90_000))).warnings).toEqual([])
    expect((await compileHtmlSource('é'.repeat(60_000))).warnings).toMatchObject([{ code: 'clipped' }])
  })

  test('subscriber data put in as HTML, with its line', async () => {
    const { warnings } = await compileHtmlSource(
      'a\n{{{attributes.bio}}}\n{{&first_name}}{{{unsubscribe_url}}}{{{sender.postal_address}}}',
    )
    expect(warnings).toMatchObject([
      { code: 'unescaped_variable', line: 2 },
      { code: 'unescaped_variable', line: 3 },
    ])
  })
})

describe('HTML sources', () => {
  test('scripts and includes are refused with their line', async () => {
    expect(await problemsOf(compileHtmlSource('a\n{{!\n}}\n<script>x</script>'))).toMatchObject([{ line: 4 }])
  })

  test('tables with loops are not rearranged', async () => {
    const source = '<table>{{#each list}}<tr><td>{{this}}</td></tr>{{/each}}</table>'
    expect(rendered(await compileHtmlSource(source), { list: [1] }).html).toBe('<table><tr><td>1</td></tr></table>')
  })
})

test('the example newsletter compiles without a warning and renders for a person about whom little is known', async () => {
  const source = readFileSync(new URL('../../../examples/newsletter.mjml', import.meta.url), 'utf8')
  const { html, text, links, warnings } = await compileMjmlSource(source)
  expect(warnings).toEqual([])
  expect(links.length).toBeGreaterThanOrEqual(6)
  const halves = new Map(links.map(({ n }) => [n, `half${n}`]))
  const renderer = prepareContent({
    subject: '{{default first_name "Friend"}}, the harbour letter',
    preheader: 'For {{email}}',
    html: signLinks(html, halves, 'https://t.example'),
    text: signLinks(text, halves, 'https://t.example'),
  })
  const person = { email: 'a@x.example', first_name: null, last_name: null, attributes: {} }
  const ours = {
    unsubscribe_url: 'https://t.example/u/1',
    sender: { from_name: 'Harbour', postal_address: 'Kai 1, 20457 Hamburg' },
    campaign: { name: 'June' },
    list: { name: 'Readers' },
  }
  const mail = renderer.render({ ...person, ...ours }, { pixel: 'https://t.example/t/o/1.gif', click: 'tok' })
  expect(mail.subject).toBe('Friend, the harbour letter')
  for (const part of [mail.html, mail.text]) {
    expect(part).toContain('Kai 1, 20457 Hamburg')
    expect(part).toContain('https://t.example/u/1')
    expect(part).toContain('Tell us what you like to read')
    expect(part).toContain('https://t.example/t/c/tok/half1')
    expect(part).not.toMatch(/\{\{|\}\}|undefined|null/)
  }
  expect(mail.html).toContain('src="https://t.example/t/o/1.gif"')
})
