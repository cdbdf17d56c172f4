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
  const source = readFileSync(new URL('../../../examples/templates/newsletter.mjml', import.meta.url), 'utf8')
  const { html, text, links, warnings } = await compileMjmlSource(source)
  expect(warnings).toEqual([])
  expect(links.length).toBeGreaterThanOrEqual(6)
  const halves = new Map(links.map(({ n }) => [n, `half${n}`]))
  const renderer = prepareContent({
    subject: '{{default first_name "Friend"}}, the harbour letter',
    preheader: 'For {{email}}',
    html: signLinks(html, links, halves, 'https://t.example', 'html'),
    text: signLinks(text, links, halves, 'https://t.example', 'text'),
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

describe('what a template may not hold', () => {
  test.each([
    ['<p onclick="x()">a</p>', 'onclick'],
    ['<img src="https://example.com/a.png" OnError=x>', 'onerror'],
    ['<iframe src="https://example.com"></iframe>', '<iframe>'],
    ['<object data="x"></object>', '<object>'],
    ['<embed src="x">', '<embed>'],
  ])('what would run in a preview: %s', async (source, named) => {
    const [problem] = await problemsOf(compileHtmlSource(`<p>x</p>\n${source}`))
    expect(problem).toMatchObject({ field: 'source', line: 2 })
    expect(problem?.detail).toContain(named)
  })

  test.each(['java{{! x }}script:alert(1)', '{{#if a}}{{else}}javascript:{{/if}}alert(1)', '{{a}}javascript:alert(1)'])(
    'an address that becomes a script when its tags are filled in: %s',
    async (address) => {
      const problems = await problemsOf(compileHtmlSource(`<a href="${address}">x</a>`))
      expect(problems).toEqual([{ field: 'source', line: 1, detail: 'Addresses with javascript: are not allowed.' }])
    },
  )
})

describe('nesting has a limit, and says so instead of failing:', () => {
  const times = (n: number, text: string) => text.repeat(n)
  test.each([
    ['blocks', `${times(20_000, '{{#if a}}')}${times(20_000, '{{/if}}')}`],
    ['blocks that nobody closes', times(20_000, '{{#if a}}')],
    ['else after else', `{{#if a}}${times(20_000, '{{else if a}}')}{{/if}}`],
    ['inverse blocks', `${times(20_000, '{{^a}}')}${times(20_000, '{{/a}}')}`],
    ['expressions', `{{eq ${times(20_000, '(eq ')}1 2${times(20_000, ' 1)')} 1}}`],
    ['elements', `${times(20_000, '<div>')}x`],
    ['elements of a link', `<a href="https://example.com">${times(20_000, '<b>')}x`],
  ])('%s', async (_, source) => {
    const [problem] = await problemsOf(compileHtmlSource(source))
    expect(problem).toMatchObject({ field: 'source', detail: expect.stringMatching(/deep/) })
  })

  test('what people write is far from it', async () => {
    const source = `${times(60, '{{#if a}}')}x${times(60, '{{/if}}')}{{#if a}}y${times(30, '{{else if b}}z')}{{/if}}`
    expect(rendered(await compileHtmlSource(`<p>${source}</p>`), { a: 1 }).html).toBe('<p>xy</p>')
  })
})

test('the line of a problem is that of the source, whatever tags span', async () => {
  const source = '<p>{{!\n\n}}</p>\n<a href="{{x}}">x</a>\n<a href="{{y}}">y</a>{{! \n }}<a href="{{z}}">z</a>'
  const { warnings } = await compileHtmlSource(source)
  expect(warnings.map(({ line }) => line)).toEqual([4, 5, 6])
})
