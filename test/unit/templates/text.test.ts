import { describe, expect, test } from 'vitest'
import { compileHtmlSource, compileMjmlSource, inColumn, problemsOf, rendered } from './compiling.ts'

const textOf = async (body: string, data: object = {}) =>
  rendered(await compileHtmlSource(`<html><body>${body}</body></html>`), data).text

describe('the text part made of HTML', () => {
  test.each([
    [
      'headings keep their letters, and their variables',
      '<h1>Hello {{firstName}}</h1><h6>{{b}}</h6>',
      'Hello Ann\n\nB\n',
    ],
    [
      'links show their address',
      '<p>See <a href="https://x.example/?a=1&amp;b=2">here</a>.</p>',
      'See here (https://x.example/?a=1&b=2).\n',
    ],
    [
      'an address as its own text is not said twice',
      '<a href="mailto:a@x.example">a@x.example</a>',
      'a@x.example (a@x.example)\n',
    ],
    [
      'image links speak through their alt text',
      '<a href="https://x.example"><img src="i" alt="Spring sale"></a>',
      'Spring sale (https://x.example)\n',
    ],
    ['links that say nothing are left out', '<a href="https://x.example"><img src="i" alt=""></a>x', 'x\n'],
    ['anchors are only text', '<a href="#top">Top</a>', 'Top\n'],
    ['images are left out', '<img src="https://x.example/i.png" alt="A">x', 'x\n'],
    [
      'hidden text is left out',
      '<div style="display:none">a</div><span style="color:red; display: none;">b</span>c',
      'c\n',
    ],
    [
      'rows are lines, cells are words',
      '<table><tr><th>Item</th><th>Price</th></tr><tr><td>Oak</td><td>5</td></tr></table>',
      'Item Price\nOak 5\n',
    ],
    [
      'loops over rows',
      '<table>{{#each list}}<tr><td>{{@index}}</td><td>{{this}}</td></tr>{{/each}}</table>',
      '0 x\n1 y\n',
    ],
    ['conditions around blocks', 'a{{#if no}}<p>hidden</p>{{else}}<p>shown</p>{{/if}}b', 'a\nshown\n\nb\n'],
    ['nothing is escaped', '<p>{{amp}} &amp; &lt;x&gt; &eacute;</p>', '<&> & <x> é\n'],
    [
      'long lines are not broken, which would cut tags',
      `<p>${'word '.repeat(40)}{{default missing "a  b"}}</p>`,
      `${'word '.repeat(40)}a  b\n`,
    ],
    ['conditional comments are not for readers', '<!--[if mso]><p>Outlook</p><![endif]-->x', 'x\n'],
  ])('%s', async (_, body, expected) => {
    expect(await textOf(body, { firstName: 'Ann', b: 'B', list: ['x', 'y'], no: false, amp: '<&>' })).toBe(expected)
  })

  test('numbers links as the HTML does', async () => {
    const { html, text, links } = await compileHtmlSource(
      '<a href="https://a.example"><img src="i" alt=""></a><a href="https://b.example">b</a><a href="https://c.example">c</a>',
    )
    expect(links.map((link) => link.n)).toEqual([1, 2, 3])
    expect(html).toContain('href="{{{@links.2}}}">b')
    expect(text).toContain('b ({{{@links.2}}})c ({{{@links.3}}})')
  })

  test('leaves out the preview text of MJML and keeps the unsubscribe address', async () => {
    const source = inColumn(
      '<mj-text>Hi <a href="{{unsubscribe_url}}">stop</a></mj-text>',
      '<mj-preview>peek {{a}}</mj-preview>',
    )
    expect(rendered(await compileMjmlSource(source), { unsubscribe_url: 'https://t.example/u/1' }).text).toBe(
      'Hi stop (https://t.example/u/1)\n',
    )
  })

  test('is refused where hiding cuts a block in two', async () => {
    const problems = await problemsOf(compileHtmlSource('<div style="display:none">{{#if a}}</div>x{{/if}}'))
    expect(problems[0]?.detail).toContain('The text part made of it')
  })
})

describe('the author’s own text', () => {
  test('is kept as written, its addresses tracked as further links', async () => {
    const own =
      'Hi {{name}},\n\n  read https://x.example/a?b=1, or (https://y.example/c).\nAlso https://en.example/a_(b) and https://z.example.\n'
    const { text, links } = await compileHtmlSource('<a href="https://h.example">h</a>', own)
    expect(links).toEqual([
      { n: 1, url: 'https://h.example', text: 'h' },
      { n: 2, url: 'https://x.example/a?b=1', text: 'https://x.example/a?b=1' },
      { n: 3, url: 'https://y.example/c', text: 'https://y.example/c' },
      { n: 4, url: 'https://en.example/a_(b)', text: 'https://en.example/a_(b)' },
      { n: 5, url: 'https://z.example', text: 'https://z.example' },
    ])
    expect(text).toBe(
      'Hi {{name}},\n\n  read {{{@links.2}}}, or ({{{@links.3}}}).\nAlso {{{@links.4}}} and {{{@links.5}}}.\n',
    )
  })

  test('has addresses with variables tracked, as far as they reach', async () => {
    const own =
      'a\nhttps://x.example/{{id}}/{{#if a}}b{{/if}}.\n{{unsubscribe_url}}\n' +
      '{{#if c}}https://y.example/?q={{urlencode "a b"}}{{/if}} {{#if c}}see https://z.example/d{{else}}{{/if}}'
    const { text, links, warnings } = await compileHtmlSource('x', own)
    expect(links).toEqual([
      {
        n: 1,
        url: 'https://x.example/{{id}}/{{#if a}}b{{/if}}',
        origin: 'https://x.example',
        text: 'https://x.example/{{id}}/{{#if a}}b{{/if}}',
      },
      {
        n: 2,
        url: 'https://y.example/?q={{urlencode "a b"}}',
        origin: 'https://y.example',
        text: 'https://y.example/?q={{urlencode "a b"}}',
      },
      { n: 3, url: 'https://z.example/d', text: 'https://z.example/d' },
    ])
    expect(text).toBe(
      'a\n{{{@links.1}}}.\n{{unsubscribe_url}}\n{{#if c}}{{{@links.2}}}{{/if}} {{#if c}}see {{{@links.3}}}{{else}}{{/if}}',
    )
    expect(warnings).toEqual([])
  })

  test('warns of addresses whose host is a variable, with their line', async () => {
    const { warnings } = await compileHtmlSource('x', 'a\nhttps://{{id}}.example/')
    expect(warnings).toMatchObject([{ code: 'untracked_link', line: 2 }])
  })

  test('is checked like the source', async () => {
    expect(await problemsOf(compileHtmlSource('x', 'a\n{{#if b}}'))).toMatchObject([
      { field: 'text_source', line: 2, detail: '{{#if b}} is never closed.' },
    ])
  })
})
