import { describe, expect, test } from 'vitest'
import { RenderError } from '../../../src/render/errors.ts'
import { type Content, prepareContent } from '../../../src/render/render.ts'

const NONE = { pixel: '', click: '' }

const render = (content: Partial<Content>, data: object = {}, tracking = NONE) =>
  prepareContent({ subject: '', preheader: '', html: '', text: '', ...content }).render(data, tracking)

const refusal = (content: Partial<Content>): RenderError => {
  try {
    prepareContent({ subject: '', preheader: '', html: '', text: '', ...content })
  } catch (error) {
    if (error instanceof RenderError) return error
  }
  throw new Error('was not refused')
}

describe('escaping', () => {
  const data = { first_name: `<b>"O'Hara" & sons</b>` }

  test('HTML is escaped, subject and text are not', () => {
    const mail = render({ subject: '{{first_name}}', html: '{{first_name}}', text: '{{first_name}}' }, data)
    expect(mail.subject).toBe(data.first_name)
    expect(mail.text).toBe(data.first_name)
    expect(mail.html).toBe('&lt;b&gt;&quot;O&#x27;Hara&quot; &amp; sons&lt;/b&gt;')
  })

  test.each(['a\r\nBcc: x@example.com', 'a\nb', 'a\rb', 'a\u0000b', 'a\u2028b', 'a\u0085b', '\u007fa', ' a\t'])(
    'no control character gets into the subject: %j',
    (name) => {
      const { subject } = render({ subject: 'Hi {{name}}!\r\n' }, { name })
      expect(subject).toMatch(/^Hi .*!$/)
      expect(subject).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
    },
  )
})

describe('tracking variables', () => {
  const html = '{{#if @pixel}}<img src="{{{@pixel}}}">{{/if}}{{#each list}}<a href="/t/c/{{{@click}}}/x">{{/each}}'

  test('reach the template at any depth', () => {
    const tracking = { pixel: 'https://t.example/o?a=1&b=2', click: 'tok' }
    expect(render({ html }, { list: [1, 2] }, tracking).html).toBe(
      '<img src="https://t.example/o?a=1&b=2"><a href="/t/c/tok/x"><a href="/t/c/tok/x">',
    )
  })

  test('cannot be supplied or read by data', () => {
    const data = { pixel: 'evil', click: 'evil', '@pixel': 'evil', list: [{ '@click': 'evil' }] }
    expect(render({ html }, data, { pixel: '', click: 'tok' }).html).toBe('<a href="/t/c/tok/x">')
  })
})

describe('preheader', () => {
  test('stands hidden at the start of the body, its literal text and its variables escaped', () => {
    const { html } = render(
      {
        html: '<html><head></head><body class="{{#if a}}>{{/if}}" style="x">Hi</body></html>',
        preheader: 'a < b & {{name}}',
      },
      { name: '<i>' },
    )
    expect(html).toMatch(/<body class="" style="x"><div style="display:none;[^"]*">a &#60; b &#38; &lt;i&gt;<\/div>Hi/)
  })

  test('an empty one leaves the HTML alone, and HTML without a body gets it at the start', () => {
    expect(render({ html: '<p>x</p>', preheader: '  ' }).html).toBe('<p>x</p>')
    expect(render({ html: '<p>x</p>', preheader: 'y' }).html).toMatch(
      /^<div style="display:none[^>]*>y<\/div><p>x<\/p>$/,
    )
  })
})

describe('data', () => {
  test('is plain JSON: functions, getters and classes are refused, and the renderer goes on', () => {
    const renderer = prepareContent({ subject: '{{a}}', preheader: '', html: '{{a.b}}', text: '' })
    let called = false
    const call = () => {
      called = true
    }
    for (const data of [{ a: call }, { a: { b: [call] } }, { a: new Map() }, { a: new Date(0) }, { a: 1n }]) {
      expect(() => renderer.render(data, NONE)).toThrow(RenderError)
    }
    const circle: Record<string, unknown> = {}
    circle.a = circle
    expect(() => renderer.render(circle, NONE)).toThrow('nested more than')
    expect(called).toBe(false)
    expect(renderer.render({ a: { b: 'ok' } }, NONE).html).toBe('ok')
  })

  test('an error names the path, never the value', () => {
    const renderer = prepareContent({ subject: '', preheader: '', html: '', text: '' })
    expect(() => renderer.render({ attributes: { secret: () => 'x' } }, NONE)).toThrow(
      'data attributes.secret is a function',
    )
  })

  test('a person whose data cannot be printed fails alone', () => {
    const renderer = prepareContent({ subject: 's', preheader: '', html: '{{attributes.x}}', text: '' })
    const bad = { attributes: { x: { toString: 'not a function', valueOf: 1 } } }
    expect(() => renderer.render(bad, NONE)).toThrow(RenderError)
    expect(renderer.render({ attributes: { x: 1 } }, NONE).html).toBe('1')
  })

  test('prototypes stay out of reach', () => {
    const html = '{{__proto__}}{{constructor}}{{lookup this "constructor"}}{{#with __proto__}}x{{/with}}{{toString}}'
    expect(render({ html }, JSON.parse('{"a":{"__proto__":{"polluted":true}}}')).html).toBe('')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('what cannot be compiled is refused with part and line', () => {
  test.each([
    ['{{#if a}}x', 1, '{{#if a}} is never closed'],
    ['\n{{#each a}}\n{{#if b}}{{/each}}', 3, '{{/each}} closes a block that was opened as {{#if}}'],
    ['x\n{{/if}}', 2, 'no block that it belongs to'],
    ['x\n{{else}}', 2, 'no block that it belongs to'],
    ['x\n\n{{foo "x"}}', 3, 'There is no helper named "foo"'],
    ['{{#if (foo a)}}{{/if}}', 1, 'There is no helper named "foo"'],
    ['{{default (upper (bar 1)) ""}}', 1, 'There is no helper named "bar"'],
    ['{{log "x"}}', 1, 'There is no helper named "log"'],
    ['a\n{{> footer}}', 2, 'There is no partial named "footer"'],
    ['{{> (lookup . "x")}}', 1, 'no partials of which one could be chosen'],
    ['{{* other}}', 1, 'Decorators such as "other"'],
    ['{{#*inline name}}{{/inline}}', 1, 'needs a name in quotes'],
    ['a\nb {{ c', 2, 'Not valid Handlebars'],
    ['{{}}', 1, 'Not valid Handlebars'],
  ])('%j', (html, line, detail) => {
    const error = refusal({ html })
    expect(error).toMatchObject({ part: 'html', line })
    expect(error.message).toContain(detail)
  })

  test('in each part', () => {
    for (const part of ['subject', 'preheader', 'html', 'text'] as const) {
      expect(refusal({ [part]: '{{#if a}}' }).part).toBe(part)
    }
  })

  test('inline partials and sections on data are fine', () => {
    const html =
      '{{#*inline "row"}}[{{x}}]{{/inline}}{{> row x=1}}{{#list}}{{> row x=.}}{{/list}}{{#> other}}fallback{{/other}}'
    expect(render({ html }, { list: [2, 3] }).html).toBe('[1][2][3]fallback')
  })
})

test('a template that calls itself fails for this render only', () => {
  const html = '{{#*inline "i"}}{{#if loop}}{{> i}}{{/if}}x{{/inline}}{{> i}}'
  const renderer = prepareContent({ subject: '', preheader: '', html, text: '' })
  expect(() => renderer.render({ loop: true }, NONE)).toThrow(RenderError)
  expect(renderer.render({ loop: false }, NONE).html).toBe('x')
})
