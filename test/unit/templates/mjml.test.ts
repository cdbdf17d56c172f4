import { describe, expect, test } from 'vitest'
import { compileMjmlSource, inColumn, problemsOf, rendered } from './compiling.ts'

/** What is visible of a rendered mail, on one line. */
const visible = (html: string) =>
  html
    .replace(/<head[\s\S]*?<\/head>|<!--[\s\S]*?-->|<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()

describe('Handlebars tags come through MJML', () => {
  const data = {
    a: 1,
    x: '<X>',
    url: 'https://x.example/?a=1',
    list: [{ n: 'one' }, { n: 'two' }],
    color: '#ff0000',
    n: 21,
  }
  test.each([
    ['in text', '<mj-text>{{x}} {{{x}}} {{~x~}}</mj-text>', '&lt;X&gt; &lt;X&gt;'],
    ['blocks in text', '<mj-text>{{#if a}}yes{{else}}no{{/if}}</mj-text>', 'yes'],
    ['a comparison sign in an argument', '<mj-text>{{#if (eq x "<X>")}}less{{/if}}</mj-text>', 'less'],
    ['an ampersand in an argument', '<mj-text>{{default missing "a&b"}}</mj-text>', 'a&amp;b'],
    ['rows of a table', '<mj-table>{{#each list}}<tr><td>{{n}}</td></tr>{{/each}}</mj-table>', 'one two'],
    [
      'mj-raw around texts',
      '<mj-raw>{{#each list}}</mj-raw><mj-text>{{n}}</mj-text><mj-raw>{{/each}}</mj-raw>',
      'one two',
    ],
    ['inside a start tag', '<mj-text><p {{#if a}}class="q"{{/if}}>p</p></mj-text>', 'p'],
    ['markup that only balances after rendering', '<mj-text>{{#if a}}<b>x{{/if}}y{{#if a}}</b>{{/if}}</mj-text>', 'xy'],
    ['inline partials', '<mj-text>{{#*inline "p"}}[{{v}}]{{/inline}}{{> p v=1}}</mj-text>', '[1]'],
    ['comments', '<mj-text>a{{! <b> }}b{{!-- }} --}}c</mj-text>', 'abc'],
    ['an escaped tag', '<mj-text>\\{{x}}</mj-text>', '{{x}}'],
    ['stray angle brackets', '<mj-text>6 > 5 {{a}}</mj-text>', '6 > 5 1'],
    [
      'accordions',
      '<mj-accordion><mj-accordion-element><mj-accordion-title>{{a}}</mj-accordion-title><mj-accordion-text>{{x}}</mj-accordion-text></mj-accordion-element></mj-accordion>',
      '1 &lt;X&gt;',
    ],
  ])('%s', async (_, markup, expected) => {
    const { html } = rendered(await compileMjmlSource(inColumn(markup)), data)
    expect(visible(html)).toContain(expected)
    expect(html).not.toMatch(/hbs\d*x\d+q/)
  })

  test.each([
    [
      'double quotes in a double-quoted attribute',
      '<mj-button href="{{default url "https://q.example"}}">b</mj-button>',
      'href="https://x.example/?a&#x3D;1"',
    ],
    ['quotes in a single-quoted attribute', `<mj-button href='{{default missing "z"}}'>b</mj-button>`, 'href="z"'],
    [
      'double quotes in a link of a text',
      '<mj-text><a href="{{default url "q"}}">b</a></mj-text>',
      'href="https://x.example/?a&#x3D;1"',
    ],
    [
      'a query of variables',
      '<mj-button href="https://y.example/?a={{a}}&b={{n}}">b</mj-button>',
      'href="https://y.example/?a=1&amp;b=21"',
    ],
    ['a colour', '<mj-text color="{{color}}">b</mj-text>', 'color:#ff0000'],
    ['a size', '<mj-text font-size="{{n}}px">b</mj-text>', 'font-size:21px'],
    ['an image', '<mj-image src="{{url}}" alt="{{x}}" />', 'alt="&lt;X&gt;"'],
    ['a class given by a condition', '<mj-text><p {{#if a}}class="q"{{/if}}>p</p></mj-text>', '<p class="q">'],
  ])('%s', async (_, markup, expected) => {
    expect(rendered(await compileMjmlSource(inColumn(markup)), data).html).toContain(expected)
  })

  test('mj-raw between sections keeps or leaves out the section', async () => {
    const section = (text: string) => `<mj-section><mj-column><mj-text>${text}</mj-text></mj-column></mj-section>`
    const compiled = await compileMjmlSource(
      `<mjml><mj-body><mj-raw>{{#if a}}</mj-raw>${section('one')}<mj-raw>{{else}}</mj-raw>${section('two')}<mj-raw>{{/if}}</mj-raw></mj-body></mjml>`,
    )
    expect(visible(rendered(compiled, { a: true }).html)).toBe('one')
    expect(visible(rendered(compiled, { a: false }).html)).toBe('two')
    for (const a of [true, false]) {
      const { html } = rendered(compiled, { a })
      expect(html.match(/<table/g)?.length).toBe(html.match(/<\/table/g)?.length)
    }
  })

  test('styles: in the head, inlined, and where mj-html-attributes rewrites the document', async () => {
    const head =
      '<mj-style>.a { color: {{color}}; }</mj-style><mj-style inline="inline">.b { color: {{color}}; }</mj-style>' +
      '<mj-html-attributes><mj-selector path=".c p"><mj-html-attribute name="data-id">{{n}}</mj-html-attribute></mj-selector></mj-html-attributes>' +
      '<mj-title>{{x}}</mj-title><mj-preview>Hi {{x}}</mj-preview>'
    const text = '<mj-text css-class="c"><p class="b" {{#if a}}id="i"{{/if}}>{{#if (eq x "<X>")}}p{{/if}}</p></mj-text>'
    const { html } = rendered(await compileMjmlSource(inColumn(text, head)), data)
    expect(html).toContain('.a { color: #ff0000; }')
    expect(html).toMatch(
      /<p (?=[^>]*class="b")(?=[^>]*style="color: #ff0000;?")(?=[^>]*id="i")(?=[^>]*data-id="21")[^>]*>p<\/p>/,
    )
    expect(html).toContain('<title>&lt;X&gt;</title>')
    expect(html).toContain('Hi &lt;X&gt;')
  })
})

describe('MJML is refused', () => {
  const section = '<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>'
  const body = (markup: string) => `<mjml>\n<mj-body>\n${markup}\n</mj-body>\n</mjml>`

  test.each([
    ['between sections', body(`{{#if a}}\n${section}\n{{/if}}`), [3, 5], '{{#if a}}'],
    ['between columns', body('<mj-section>{{#if a}}<mj-column></mj-column>{{/if}}</mj-section>'), [3, 3], '{{#if a}}'],
    [
      'between texts',
      body('<mj-section><mj-column>\n{{#each i}}<mj-text>{{n}}</mj-text>\n{{/each}}</mj-column></mj-section>'),
      [4, 5],
      '{{#each i}}',
    ],
    [
      'in the head',
      '<mjml>\n<mj-head>{{#if a}}<mj-title>t</mj-title>{{/if}}</mj-head><mj-body></mj-body></mjml>',
      [2, 2],
      '{{#if a}}',
    ],
  ])('a tag that MJML would drop %s, with its line and the way out', async (_, source, lines, tag) => {
    const problems = await problemsOf(compileMjmlSource(source))
    expect(problems.map((problem) => problem.line)).toEqual(lines)
    expect(problems[0]?.detail).toContain(`MJML drops ${tag}`)
    expect(problems[0]?.detail).toContain(`<mj-raw>${tag}</mj-raw>`)
  })

  test('a comment tag between sections harms nobody', async () => {
    expect(visible(rendered(await compileMjmlSource(body(`{{! note }}${section}`))).html)).toBe('x')
  })

  test.each([
    ['unknown elements', body(`${section}\n<mj-foo />`), 4, 'mj-foo'],
    [
      'unknown attributes',
      body('<mj-section><mj-column>\n<mj-text colour="red">x</mj-text></mj-column></mj-section>'),
      4,
      'colour',
    ],
    [
      'invalid values',
      body('<mj-section><mj-column><mj-text font-size="big">x</mj-text></mj-column></mj-section>'),
      3,
      'font-size',
    ],
    [
      'an attribute given by a condition',
      body('<mj-section><mj-column><mj-text {{#if a}}color="red"{{/if}}>x</mj-text></mj-column></mj-section>'),
      3,
      'variable cannot stand there',
    ],
    [
      'a variable as a column’s width',
      body('<mj-section><mj-column width="{{w}}"></mj-column></mj-section>'),
      3,
      '{{w}}',
    ],
    [
      'a variable as an image’s width',
      body(
        '<mj-section><mj-column><mj-image src="https://x.example/i.png" width="{{w}}px" /></mj-column></mj-section>',
      ),
      3,
      '{{w}}px',
    ],
    [
      'a variable as an alignment',
      body('<mj-section><mj-column>\n<mj-text align="{{a}}">x</mj-text></mj-column></mj-section>'),
      4,
      '{{a}}',
    ],
    ['includes', body(`${section}\n<mj-include path="./x.mjml" />`), 4, 'mj-include'],
    [
      'scripts',
      body('<mj-section><mj-column><mj-text>\n<script>alert(1)</script></mj-text></mj-column></mj-section>'),
      4,
      'script',
    ],
    ['scripts in mj-raw', body('\n<mj-raw><SCRIPT src="https://x.example"></SCRIPT></mj-raw>'), 4, 'script'],
    ['open elements', body('<mj-section><mj-column>'), 4, '</mj-body> comes while <mj-column> is open'],
    [
      'elements closed by others',
      body('<mj-section><mj-column><mj-text>a</mj-button></mj-column></mj-section>'),
      3,
      '</mj-button>',
    ],
    [
      'lines are the author’s, also after a tag over several lines',
      body(`<mj-raw>{{!\n\n}}</mj-raw>\n<mj-foo />`),
      6,
      'mj-foo',
    ],
  ])('%s', async (_, source, line, detail) => {
    const [problem] = await problemsOf(compileMjmlSource(source))
    expect(problem).toMatchObject({ field: 'source', line })
    expect(problem?.detail).toContain(detail)
    expect(problem?.detail).not.toMatch(/hbs\d*x\d+q/)
  })

  test.each(['', '<html><body>x</body></html>', 'hello'])('what is no MJML: %j', async (source) => {
    expect((await problemsOf(compileMjmlSource(source)))[0]).toMatchObject({ field: 'source' })
  })

  test('Handlebars syntax, with the line', async () => {
    expect(await problemsOf(compileMjmlSource(inColumn('<mj-text>\n{{#if a}}</mj-text>')))).toMatchObject([
      { field: 'source', line: 2, detail: '{{#if a}} is never closed.' },
    ])
  })
})

test('words that look like ours in the source are left alone', async () => {
  const { html } = rendered(await compileMjmlSource(inColumn('<mj-text>hbs0x0q {{a}} HBS1X1Q</mj-text>')), { a: 'A' })
  expect(html).toContain('hbs0x0q A HBS1X1Q')
})

test('two runs at once load MJML once, and leave no window behind', async () => {
  await Promise.all([compileMjmlSource(inColumn('')), compileMjmlSource(inColumn(''))])
  expect('window' in globalThis).toBe(false)
})
