// What templates and data can do to the renderer: nothing but be refused, or be printed.

import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { checkSource } from '../../../src/render/check.ts'
import { RenderError } from '../../../src/render/errors.ts'
import { prepareContent } from '../../../src/render/render.ts'
import { compileTemplate } from '../../../src/templates/compile.ts'
import { TemplateError } from '../../../src/templates/errors.ts'

const NONE = { pixel: '', click: '' }
const prepare = (source: string) => prepareContent({ subject: source, preheader: '', html: source, text: source })

/** The rendered mail, or the error's message; anything but a RenderError ends the test. */
function outcome(source: string, data: object): string {
  try {
    return prepare(source).render(data, NONE).text
  } catch (error) {
    if (error instanceof RenderError) return error.message
    throw error
  }
}

const pieces = fc.array(
  fc.oneof(
    fc.constantFrom(
      '{{',
      '}}',
      '{{{',
      '}}}',
      '{{{{',
      '}}}}',
      '{{#if a}}',
      '{{/if}}',
      '{{else}}',
      '{{^}}',
      '{{#each b}}',
      '{{/each}}',
      '{{> p}}',
      '{{#> p}}',
      '{{/p}}',
      '{{#*inline "p"}}',
      '{{/inline}}',
      '{{!',
      '{{!--',
      '--}}',
      '(',
      ')',
      '"',
      "'",
      '[',
      ']',
      ' as |x y|',
      '{{a',
      'a=',
      '@',
      '../',
      '.',
      '~',
      '\\',
      '\\\\',
      '\u0000',
      '\ud83d',
      '\ude00',
      '\u2028',
      '\r\n',
      '<',
      '>',
      '{{constructor',
      '{{__proto__',
      '{{lookup a "__proto__"}}',
      '{{upper a}}',
      '{{date a}}',
      '{{truncate a 3}}',
      '{{json .}}',
      '{{> (lookup . "a")}}',
      '{{{{raw}}}}',
      '{{{{/raw}}}}',
      '{{this}}',
      '{{@root',
      '{{#with a}}',
      '{{/with}}',
      '{{helperMissing}}',
    ),
    fc.string({ unit: 'binary', maxLength: 5 }),
  ),
  { maxLength: 12 },
)

const values = fc.object({
  key: fc.constantFrom(
    'a',
    'b',
    'x',
    '__proto__',
    'constructor',
    'toString',
    'locale',
    'timezone',
    'length',
    'call',
    'partial-block',
  ),
  values: [
    fc.constantFrom(
      null,
      undefined,
      '',
      0,
      -1,
      true,
      'p',
      '<&>',
      '{{a}}',
      '__proto__',
      'en',
      'Nowhere',
      '2026-06-01',
      '\ud83d',
      '\u0000',
    ),
    fc.double(),
    fc.string({ unit: 'binary', maxLength: 10 }),
  ],
  maxDepth: 4,
})

describe('random text that looks like templates', () => {
  test('is refused with a reason, or renders', () => {
    fc.assert(
      fc.property(pieces, values, (parts, data) => {
        expect(typeof outcome(parts.join(''), data)).toBe('string')
      }),
      { numRuns: 1000 },
    )
  })

  test('is refused by a save as a TemplateError, or compiles to something that renders or fails alone', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, values, async (parts, data) => {
        const source = `<p>${parts.join('')}</p>`
        try {
          const { html, text } = await compileTemplate({ format: 'html', source, text_source: null })
          prepareContent({ subject: '', preheader: '', html: html.replaceAll('@links', 'x'), text: '' }).render(
            data,
            NONE,
          )
          expect(text).not.toContain('[object')
        } catch (error) {
          if (!(error instanceof TemplateError || error instanceof RenderError)) throw error
        }
      }),
      { numRuns: 150 },
    )
  })
})

test.each([
  '{{constructor.constructor "return 1"}}',
  '{{#with (lookup . "constructor")}}{{/with}}{{constructor.constructor}}',
  '{{#with "s" as |s|}}{{#with (lookup s "sub") as |f|}}{{#with (lookup f "constructor")}}got{{.}}{{/with}}{{/with}}{{/with}}',
  '{{#each (lookup . "__proto__")}}got{{/each}}{{#if __proto__}}got{{/if}}',
  '{{__proto__.polluted}}{{a.__proto__.polluted}}{{@root.constructor.prototype}}{{@constructor}}{{@root.__proto__}}',
  '{{__defineGetter__ "x" 1}}',
  '{{lookup (lookup a "constructor") "name"}}{{lookup a (json "x")}}{{a.constructor.constructor}}',
  '{{#*inline "p"}}{{/inline}}{{> (lookup (lookup . "constructor") "name")}}',
  '{{json constructor}}{{json __proto__}}{{upper constructor}}{{default __proto__ ""}}{{#eq constructor missing}}{{/eq}}',
])('%s reaches no prototype', (source) => {
  const printed = outcome(source, { a: { b: 1 } })
  expect(printed).not.toMatch(/got|native code|function|\[object|Object/)
  expect(({} as Record<string, unknown>).x).toBeUndefined()
})

describe('a polluted Object.prototype', () => {
  const prototype = Object.prototype as unknown as Record<string, unknown>
  const names = ['polluted', 'upper2', 'p', 'partial-block', 'constructor2', 'locale', 'first']
  afterEach(() => {
    for (const name of names) delete prototype[name]
  })

  test('shows in no mail', () => {
    const source =
      '{{polluted}}{{@polluted}}{{@root.polluted}}{{#if polluted}}x{{/if}}{{a.polluted}}{{lookup a "polluted"}}{{upper "i"}}{{first}}'
    const partials = '{{> (lookup . "which")}}'
    const clean = outcome(source, { a: {} })
    for (const name of names) prototype[name] = name === 'p' ? 'POLLUTED' : 'tr'
    expect(outcome(source, { a: {} })).toBe(clean)
    expect(outcome(`{{#*inline "q"}}{{/inline}}${partials}`, { which: 'p' })).not.toContain('POLLUTED')
    expect(outcome('{{upper2 "x"}}', {})).toContain('There is no helper named "upper2"')
    expect(outcome('{{> p}}', {})).toContain('There is no partial named "p"')
  })

  test('and a template cannot pollute it', () => {
    outcome('{{#*inline "__proto__"}}{{x}}{{/inline}}{{> __proto__ polluted="x"}}{{#each a as |__proto__|}}{{/each}}', {
      a: [1],
    })
    outcome('{{#*inline "p"}}{{x}}{{/inline}}{{> p __proto__=a}}', JSON.parse('{"a":{"polluted":1}}'))
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

test.each([
  ['function', () => 'called'],
  ['class', class {}],
  ['date', new Date(0)],
  ['map', new Map()],
  ['array with a function', [() => 'called']],
  ['bigint', 1n],
  ['symbol', Symbol('x')],
  ['promise', Promise.resolve()],
])('a %s in data is refused and not called', (_, value) => {
  expect(outcome('{{a}}{{a.b}}{{#a}}x{{/a}}', { a: value })).toMatch(/^data a is (?:a|not)/)
})

describe('sizes', () => {
  const repeated = (part: string, length = 2_000_000) => part.repeat(Math.ceil(length / part.length))

  test.each([
    ['text', repeated('lorem ipsum '), true],
    ['variables', repeated('{{a}}', 50_000), true],
    ['too many variables', repeated('{{a}}'), false],
    ['text with braces', repeated('a { b } '), true],
    ['open blocks', repeated('{{#if a}}'), false],
    ['nested blocks', `${'{{#if a}}'.repeat(99)}x${'{{/if}}'.repeat(99)}`, true],
    ['blocks nested too deep', `${'{{#if a}}'.repeat(5000)}x${'{{/if}}'.repeat(5000)}`, false],
    ['nested expressions', `{{upper ${'(upper '.repeat(100_000)}a${')'.repeat(100_000)}}}`, false],
    ['a path', `{{a${'.a'.repeat(900_000)}}}`, false],
    ['parents', `{{${'../'.repeat(6000)}a}}`, true],
    ['too many parents', `{{${'../'.repeat(600_000)}a}}`, false],
    ['arguments', `{{default ${'a '.repeat(900_000)}}}`, false],
    ['a string', `{{upper "${'x'.repeat(19_000)}"}}`, true],
    ['too long a string', `{{upper "${'x'.repeat(1_900_000)}"}}`, false],
    ['a comment', `{{! ${'x'.repeat(1_900_000)}}}`, true],
    ['an unclosed string', `{{upper "${'x'.repeat(1_900_000)}`, false],
    ['an unclosed comment', `{{!--${'-'.repeat(1_900_000)}`, false],
    ['else branches', `{{#if a}}${'{{else if a}}'.repeat(5000)}{{/if}}`, false],
  ] as [string, string, boolean][])('%s', (_, source, compiles) => {
    const { problems } = checkSource(source)
    expect(problems.length === 0).toBe(compiles)
    if (!compiles) return
    expect(typeof outcome(source, { a: 'x' })).toBe('string')
  })

  const list = Array.from({ length: 5000 }, (_, n) => n)
  test.each([
    ['loops in loops', '{{#each list}}{{#each @root.list}}{{/each}}{{/each}}'],
    ['a loop over many tags', `{{#each list}}${'{{none}}'.repeat(5000)}{{/each}}`],
    ['helpers in loops', `{{#each list}}${'{{#if (eq (json @root) "x")}}{{/if}}'.repeat(10)}{{/each}}`],
    ['named arguments over a large context', `{{#*inline "p"}}{{/inline}}{{#each list}}{{> p @root.big a=1}}{{/each}}`],
    [
      'languages without end',
      '{{#each list}}{{#each @root.list}}{{date "2026-06-01" locale=(lookup @root.names @index)}}{{/each}}{{/each}}',
    ],
    ['sections in sections', '{{#list}}{{#@root.list}}{{/@root.list}}{{/list}}'],
  ])('%s end with an error', (_, source) => {
    const big = Object.fromEntries(list.map((n) => [`k${n}`, n]))
    const names = list.map((n) => `en-u-nu-latn-x-${n}`)
    expect(outcome(source, { list, big, names })).toMatch(/takes more than 1000000 steps/)
    expect(outcome('{{a}}', { a: 'fine' })).toBe('fine')
  })
})
