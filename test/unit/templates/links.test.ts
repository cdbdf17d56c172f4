import { describe, expect, test } from 'vitest'
import { compileHtmlSource, compileMjmlSource, inColumn, problemsOf, rendered } from './compiling.ts'

const page = (body: string) => `<html><body>${body}</body></html>`

describe('links', () => {
  test('are numbered in order, decoded, with the text a reader sees', async () => {
    const { html, links } = await compileHtmlSource(
      page(
        '<a href="https://x.example/?a=1&amp;b=2">Read  <b>more</b></a>' +
          '<a class="q" href=\'https://x.example/?a=1&amp;b=2\'><img src="i.png" alt="A picture"></a>' +
          '<map><area href=http://y.example alt="Map"></map><a href="HTTPS://z.example/{}">{{default name "x"}}</a>',
      ),
    )
    expect(links).toEqual([
      { n: 1, url: 'https://x.example/?a=1&b=2', text: 'Read more' },
      { n: 2, url: 'https://x.example/?a=1&b=2', text: 'A picture' },
      { n: 3, url: 'http://y.example', text: 'Map' },
      { n: 4, url: 'HTTPS://z.example/{}', text: '{{default name "x"}}' },
    ])
    expect(html).toContain('<a href="{{{@links.1}}}">Read')
    expect(html).toContain('<a class="q" href=\'{{{@links.2}}}\'>')
    expect(html).toContain('<area href={{{@links.3}}} alt="Map">')
  })

  test('keep what stands around them, Handlebars in start tags included', async () => {
    const markup = '<a {{#if a}}class="x"{{/if}} href="https://x.example" {{#if b}}rel="{{b}}"{{/if}}>x</a>'
    const { html } = await compileHtmlSource(page(markup))
    expect(html).toContain(markup.replace('https://x.example', '{{{@links.1}}}'))
  })

  test('in Outlook’s conditional comments are links of their own', async () => {
    const { html, links } = await compileHtmlSource(
      page(
        '<!--[if mso]><v:roundrect href="https://x.example/b" style="a"><center>Go</center></v:roundrect><![endif]-->' +
          '<!--[if !mso]><!--><a href="https://x.example/b">Go on</a><!--<![endif]-->',
      ),
    )
    expect(links).toEqual([
      { n: 1, url: 'https://x.example/b', text: 'Go' },
      { n: 2, url: 'https://x.example/b', text: 'Go on' },
    ])
    expect(html).toContain(
      '<!--[if mso]><v:roundrect href="{{{@links.1}}}" style="a"><center>Go</center></v:roundrect><![endif]-->',
    )
    expect(html).toContain('<!--[if !mso]><!--><a href="{{{@links.2}}}">Go on</a><!--<![endif]-->')
  })

  test.each([
    'mailto:a@x.example',
    'tel:+491',
    'sms:+491',
    '#top',
    '{{unsubscribe_url}}',
    '{{ unsubscribe_url }}',
    '{{{unsubscribe_url}}}',
    '{{web_view_url}}',
    '{{preferences_url}}',
    'mailto:{{email}}',
  ])('%s is left alone without a word', async (href) => {
    const { html, links, warnings } = await compileHtmlSource(page(`<a href="${href}">x</a>`))
    expect([links, warnings]).toEqual([[], []])
    expect(html).toContain(`href="${href}"`)
  })

  test('data-track="off" is obeyed and taken out', async () => {
    const { html, links } = await compileHtmlSource(
      page('<a data-track="off" href="https://x.example">x</a><a href="https://y.example" data-track=off>y</a>'),
    )
    expect(links).toEqual([])
    expect(html).toContain('<a href="https://x.example">x</a><a href="https://y.example">y</a>')
  })

  test.each([
    ['https://x.example/?id={{id}}', 'https://x.example'],
    ['HTTPS://X.example:8443/{{#if id}}a{{else}}b{{/if}}#{{id}}', 'https://x.example:8443'],
    ['https://x.example?id={{id}}', 'https://x.example'],
    ['https://u:p@x.example/{{{id}}}', 'https://x.example'],
  ])('%s holds variables, but not for its host: tracked', async (href, origin) => {
    const { html, links, warnings } = await compileHtmlSource(page(`<a href="${href}">x</a>`))
    expect(links).toEqual([{ n: 1, url: href, origin, text: 'x' }])
    expect(warnings.filter(({ code }) => code !== 'unescaped_variable')).toEqual([])
    expect(html).toContain('<a href="{{{@links.1}}}">x</a>')
  })

  test.each([
    '{{attributes.url}}',
    'https://{{host}}/',
    'https://x.example{{path}}',
    'https://x.example:{{port}}/',
    'https:/{{host}}/',
    '{{scheme}}://x.example/',
    '//{{host}}/x',
    '/{{path}}',
    '{{#if a}}https://x.example{{/if}}',
  ])(
    '%s has its host of a variable: signed at most where LINK_HOSTS allows, with a warning and its line',
    async (href) => {
      const { links, warnings } = await compileHtmlSource(page(`\n<a href="${href}">x</a>`))
      expect(links).toEqual([{ n: 1, url: href, origin: null, text: 'x' }])
      expect(warnings).toMatchObject([{ code: 'untracked_link', line: 2 }])
      expect(warnings[0]?.detail).toContain(href)
    },
  )

  test('one that a block cuts through stays as it is, with a warning', async () => {
    const markup = '<a href="https://x.example/{{#if a}}b"{{else}}c"{{/if}}>x</a>'
    const { html, links, warnings } = await compileHtmlSource(page(markup), 'text')
    expect(links).toEqual([])
    expect(warnings).toMatchObject([{ code: 'untracked_link', line: 1 }])
    expect(html).toContain(markup)
  })

  test('braces that are no tag do not become one', async () => {
    const { links } = await compileHtmlSource(
      page(
        '<a href="https://x.example/&#123;&#123;a}}">x</a><a href="https://x.example/&#123;&#123;b}}\\{{c}}\\">y</a>',
      ),
    )
    expect(links).toMatchObject([
      { url: 'https://x.example/%7B%7Ba}}' },
      { url: 'https://x.example/%7B%7Bb%7D%7D\\{{c}}%5C' },
    ])
  })

  test('an address that leads nowhere in a mail is warned of', async () => {
    const { warnings } = await compileHtmlSource(page('<a href="/shop">x</a><a href="">y</a>'))
    expect(warnings).toMatchObject([{ code: 'relative_link', line: 1 }])
  })

  test.each([
    'javascript:alert(1)',
    ' JavaScript:alert(1)',
    'java&#10;script:alert(1)',
    '&#1;javascript:x',
    'vbscript:x',
    'data:text/html,x',
    'ftp://x.example/',
    'file:///etc/passwd',
    'myapp:open?id={{id}}',
    'java{{x}}script:alert(1)',
    'jav\tascript:x',
  ])('%j is refused with its line', async (href) => {
    const problems = await problemsOf(compileHtmlSource(page(`\n\n<a href="${href}">x</a>`)))
    expect(problems).toMatchObject([{ field: 'source', line: 3 }])
    expect(problems[0]?.detail).toMatch(/not allowed/)
  })

  test('scripts as form targets are refused, images as data are not links', async () => {
    expect(await problemsOf(compileHtmlSource(page('<form action="javascript:x"></form>')))).toHaveLength(1)
    expect((await compileHtmlSource(page('<img src="data:image/png;base64,AA">'))).links).toEqual([])
  })

  test('an address no browser takes is refused', async () => {
    expect(await problemsOf(compileHtmlSource(page('<a href="https://a b/">x</a>')))).toMatchObject([
      { line: 1, detail: '"https://a b/" is not a valid address.' },
    ])
    for (const href of ['https:x.example', 'https://a b/{{c}}', `https://x.example/${'a'.repeat(8000)}`]) {
      expect(await problemsOf(compileHtmlSource(page(`\n<a href="${href}">x</a>`)))).toMatchObject([{ line: 2 }])
    }
  })

  test('accents and spaces are stored as a header can carry them', async () => {
    const { links } = await compileHtmlSource(page('<a href=" https://münchen.example/a b?q=é ">x</a>'))
    expect(links[0]?.url).toBe('https://xn--mnchen-3ya.example/a%20b?q=%C3%A9')
  })

  test('of MJML are found with the line of its source', async () => {
    const source = inColumn(
      '\n<mj-button href="https://x.example">b</mj-button>\n<mj-text>\n<a href="{{a}}/b">c</a></mj-text>',
    )
    const { links, warnings } = await compileMjmlSource(source)
    expect(links).toMatchObject([
      { n: 1, url: 'https://x.example', text: 'b' },
      { n: 2, url: '{{a}}/b', origin: null, text: 'c' },
    ])
    expect(warnings).toMatchObject([{ code: 'untracked_link', line: 4 }])
  })
})

describe('the pixel', () => {
  test('is the last thing in the body, and nothing when there is no address', async () => {
    const compiled = await compileHtmlSource(page('<p>x</p>'))
    expect(compiled.html).toMatch(
      /<p>x<\/p>\{\{#if @pixel\}\}<img src="\{\{\{@pixel\}\}\}" width="1" height="1" alt="" [^>]*>\{\{\/if\}\}<\/body>/,
    )
    expect(rendered(compiled).html).toBe('<html><body><p>x</p></body></html>')
    expect((await compileHtmlSource('<p>x</p>')).html).toMatch(/^<p>x<\/p>\{\{#if @pixel\}\}/)
  })

  test.each([
    '{{@pixel}}',
    '{{{@click}}}',
    '{{#if @pixel}}{{/if}}',
    '{{default @click "x"}}',
    '{{{@link}}}',
    '{{@[click]}}',
  ])('and the click token are not the author’s to use: %s', async (tag) => {
    expect(await problemsOf(compileHtmlSource(page(`\n${tag}`)))).toMatchObject([{ field: 'source', line: 2 }])
    expect(await problemsOf(compileHtmlSource(page('x'), `\n\n${tag}`))).toMatchObject([
      { field: 'text_source', line: 3 },
    ])
  })
})
