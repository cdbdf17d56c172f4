import { describe, expect, test } from 'vitest'
import { checkSource } from '../../../src/render/check.ts'
import { RenderError } from '../../../src/render/errors.ts'
import { prepareContent } from '../../../src/render/render.ts'

const NONE = { pixel: '', click: '' }

const text = (source: string, data: object = {}): string =>
  prepareContent({ subject: '', preheader: '', html: '', text: source }).render(data, NONE).text

const data = {
  name: 'ada',
  empty: '',
  zero: 0,
  plan: 'pro',
  n: 3,
  spelt: '3',
  none: null,
  no: false,
  yes: true,
  list: [1],
  nobody: [],
  object: { a: '<', b: [1, null] },
}

describe('text', () => {
  test.each([
    ['{{default name "friend"}}', 'ada'],
    ['{{default empty "friend"}}{{default none "x"}}{{default missing "y"}}', 'friendxy'],
    ['{{default missing none "z"}}|{{default missing none}}|{{default zero "x"}}{{default no "x"}}', 'z||0false'],
    ['{{upper name}}{{lower "ÀB"}}{{capitalize name}}{{capitalize "élan vital"}}', 'ADAàbAdaÉlan vital'],
    ['{{upper missing}}{{lower none}}{{capitalize n}}{{upper object}}{{upper yes}}', '3TRUE'],
    ['{{capitalize (default missing (lower "X"))}}', 'X'],
    [
      '{{json object}}|{{json name}}|{{json missing}}|{{json none}}|{{json list}}',
      '{"a":"<","b":[1,null]}|"ada"||null|[1]',
    ],
    [
      '{{urlencode "a b&c=d/é?#"}}|{{urlencode "(it\'s)*!~"}}|{{urlencode missing}}',
      'a%20b%26c%3Dd%2F%C3%A9%3F%23|%28it%27s%29%2A%21~|',
    ],
  ])('%s', (source, expected) => {
    expect(text(source, data)).toBe(expected)
  })

  test('letters change case as the recipient’s language has it', () => {
    const source = '{{upper "istanbul ilık"}} {{lower "ISI"}} {{capitalize "izmir"}}'
    expect(text(source, { locale: 'tr' })).toBe('İSTANBUL İLIK ısı İzmir')
    expect(text(source, { locale: 'tr_TR' })).toBe('İSTANBUL İLIK ısı İzmir')
    expect(text(source, { locale: 'en-GB' })).toBe('ISTANBUL ILIK isi Izmir')
    expect(text('{{upper "i" locale="tr"}}{{upper "i" locale=l}}', { locale: 'en', l: 'az' })).toBe('İİ')
  })

  test.each([
    ['a short one', 20, 'a short one'],
    ['exactly ten', 11, 'exactly ten'],
    ['The boats are back in the water', 20, 'The boats are back…'],
    ['The boats are back in the water', 19, 'The boats are back…'],
    ['Donaudampfschifffahrt', 10, 'Donaudamp…'],
    ['a Donaudampfschifffahrt', 10, 'a Donauda…'],
    ['👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 3, '👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦'],
    ['👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 2, '👩‍👩‍👧‍👦…'],
    ['नमस्ते', 2, 'न…'],
    ['ab', 1, '…'],
  ])('truncate %s to %d', (value, length, expected) => {
    expect(text('{{truncate value length}}', { value, length })).toBe(expected)
    expect(text('{{truncate value length}}', { value, length: String(length) })).toBe(expected)
  })

  test('truncate with an ending of one’s own, of nothing, and to a length that is none', () => {
    expect(
      text('{{truncate "one two three" 10 end=" (more)"}}|{{truncate "abcdef" 3 end=""}}|{{truncate missing 3}}'),
    ).toBe('one (more)|abc|')
    expect(() => text('{{truncate "abc" n}}', { n: 'many' })).toThrow('truncate: the length is not a whole number')
  })

  test('half a surrogate pair in data is encoded as what mail makes of it', () => {
    expect(text('{{urlencode x}}', { x: 'a\ud83d' })).toBe('a%EF%BF%BD')
  })
})

describe('date', () => {
  const moment = { at: '2026-06-01T22:30:00Z' }

  test.each([
    ['{{date at}}', {}, 'Jun 1, 2026'],
    ['{{date at}}', { locale: 'en-GB' }, '1 Jun 2026'],
    ['{{date at}}', { locale: 'en-GB', timezone: 'Europe/Berlin' }, '2 Jun 2026'],
    ['{{date at "long"}}', { locale: 'de', timezone: 'Europe/Berlin' }, '2. Juni 2026'],
    ['{{date at "full"}}', { locale: 'de', timezone: 'America/New_York' }, 'Montag, 1. Juni 2026'],
    ['{{date at "short"}}', { locale: 'de' }, '01.06.26'],
    ['{{date at "time"}}', { locale: 'de', timezone: 'Asia/Tokyo' }, '07:30'],
    ['{{date at "time"}}', { locale: 'en-US' }, '10:30 PM'],
    ['{{date at "datetime"}}', { locale: 'de', timezone: 'Asia/Kolkata' }, '02.06.2026, 04:00'],
    ['{{date at "long" time="short"}}', { locale: 'en-GB' }, '1 June 2026 at 22:30'],
    [
      '{{date at "weekday"}} {{date at "day"}} {{date at "month"}} {{date at "year"}}',
      { locale: 'fr' },
      'lundi 1 juin juin 2026 2026',
    ],
    ['{{date at "iso"}}', { locale: 'ar', timezone: 'Pacific/Auckland' }, '2026-06-02'],
    ['{{date at timezone="Asia/Tokyo" locale="ja"}}', { locale: 'de', timezone: 'UTC' }, '2026/06/02'],
    ['{{date at timezone=zone locale=language}}', { zone: 'Asia/Tokyo', language: 'de' }, '02.06.2026'],
  ])('%s %j', (source, person, expected) => {
    expect(text(source, { ...moment, ...person })).toBe(expected)
  })

  test.each([
    ['xx-nonsense', 'Nowhere/Nothing'],
    ['!', '+99'],
    ['', ''],
    [7, {}],
    ['en-GB-x'.repeat(30), 'UTC\u0000'],
    ['__proto__', 'constructor'],
  ])('a language and time zone that mean nothing are passed over: %j %j', (locale, timezone) => {
    const person = { ...moment, locale, timezone }
    expect(
      text('{{date at}} {{date at locale=locale timezone=timezone}} {{upper "i"}} {{number 1234.5}}', person),
    ).toBe('Jun 1, 2026 Jun 1, 2026 I 1,234.5')
  })

  test.each([
    ['2026-06-01', '2026-06-01'],
    ['2026-06-01T00:30', '2026-05-31'],
    ['2026-06-01 00:30:00', '2026-05-31'],
    ['2026-06-01T00:30:00.123456+02:00', '2026-05-31'],
    ['2026-06-01T00:30:00-1000', '2026-06-01'],
    ['2026-06-01T13:30:00-10', '2026-06-01'],
    [1_780_272_000, '2026-05-31'],
    ['1780272000', '2026-05-31'],
    [1_780_272_000_000, '2026-05-31'],
    ['2024-02-29', '2024-02-29'],
    [0, '1969-12-31'],
  ])('is read from %j; a day without a time is that day everywhere', (at, expected) => {
    expect(text('{{date at "iso"}}', { at, timezone: 'America/Los_Angeles' })).toBe(expected)
  })

  test.each([
    '2026-02-30',
    '0099-12-31',
    '2026-13-01',
    '01/06/2026',
    'June 1',
    'tomorrow',
    '2026',
    '2026-06-01T25:00:00Z',
    true,
    {},
    [],
    1e20,
    '12345678901234567890',
  ])('is never invalid: %j fails this mail', (at) => {
    expect(() => text('{{date at}}', { at })).toThrow(RenderError)
    expect(() => text('{{date at}}', { at })).toThrow('date: the value is not a date')
  })

  test('what is missing prints nothing, and leaves room for a default', () => {
    expect(
      text('[{{date at}}{{date none}}{{date empty}}]{{default (date at "long") "soon"}}', { none: null, empty: '' }),
    ).toBe('[]soon')
  })

  test('a format from data that does not exist fails', () => {
    expect(() => text('{{date "2026-06-01" f}}', { f: 'constructor' })).toThrow('the format is not one of')
    expect(() => text('{{date "2026-06-01" "year" time=t}}', { t: 'short' })).toThrow('time is one of')
  })
})

describe('number and currency', () => {
  test.each([
    ['{{number 1234567.891}}', {}, '1,234,567.891'],
    ['{{number n}}', { n: '1234.5', locale: 'de-DE' }, '1.234,5'],
    ['{{number n decimals=2}}', { n: 5, locale: 'de-DE' }, '5,00'],
    ['{{number n decimals=0}}', { n: 2.6 }, '3'],
    ['{{number n locale="hi-IN"}}', { n: 1234567 }, '12,34,567'],
    ['{{currency n "EUR"}}', { n: 1234.5, locale: 'de-DE' }, '1.234,50\u00a0€'],
    ['{{currency n "usd"}}', { n: 5, locale: 'en-US' }, '$5.00'],
    ['{{currency n code}}', { n: '-5', code: 'JPY', locale: 'en-US' }, '-¥5'],
    ['{{currency n "EUR" decimals=0 locale="en-IE"}}', { n: 5.4 }, '€5'],
    ['[{{number missing}}{{number e}}{{currency missing "EUR"}}{{currency missing missing}}]', { e: '' }, '[]'],
  ])('%s %j', (source, person, expected) => {
    expect(text(source, person)).toBe(expected)
  })

  test.each(['12,5', 'many', '0x10', '1e999', true, {}, [1]])('never NaN: %j fails this mail', (n) => {
    expect(() => text('{{number n}}', { n })).toThrow('number: the value is not a number')
    expect(() => text('{{currency n "EUR"}}', { n })).toThrow('currency: the value is not a number')
  })

  test('a very long one is no number', () => {
    expect(() => text('{{number n}}', { n: '1'.repeat(100_000) })).toThrow('number: the value is not a number')
  })

  test('a currency or decimals from data that do not exist fail', () => {
    expect(() => text('{{currency 5 c}}', { c: 'ZZZ' })).toThrow('ISO 4217')
    expect(() => text('{{number 5 decimals=d}}', { d: 99 })).toThrow('decimals is not')
  })
})

describe('logic', () => {
  const holds = (expression: string) => text(`{{#if (${expression})}}yes{{else}}no{{/if}}`, data)

  test.each([
    'eq plan "pro"',
    'eq n "3"',
    'eq n spelt',
    'eq none null',
    'ne plan "free"',
    'ne missing none',
    'ne list list.[0]',
    'gt n 2',
    'gte n 3',
    'lt "9" 10',
    'lte spelt 3',
    'gt "2026-06-02" "2026-06-01"',
    'lt "a" "b"',
    'and yes n plan',
    'or no zero plan',
    'not no',
    'not missing',
    'not nobody',
    'and (not zero) (or nobody list)',
  ])('%s', (expression) => {
    expect(holds(expression)).toBe('yes')
    const [name = ''] = expression.split(' ')
    expect(text(`{{#${expression}}}yes{{else}}no{{/${name}}}`, data)).toBe('yes')
  })

  test.each([
    'eq plan "PRO"',
    'eq missing "x"',
    'eq missing none',
    'ne n "3"',
    'gt missing 1',
    'lt missing 1',
    'gte none 0',
    'lte empty 0',
    'gt "10" "9x"',
    'lt yes 2',
    'and yes nobody',
    'and yes missing n',
    'or no nobody',
    'not list',
    'gt list 0',
  ])('not %s', (expression) => {
    expect(holds(expression)).toBe('no')
    const [name = ''] = expression.split(' ')
    expect(text(`{{#${expression}}}yes{{else}}no{{/${name}}}`, data)).toBe('no')
    expect(text(`{{#${expression}}}yes{{/${name}}}`, data)).toBe('')
  })

  test('and and or hand on the value that decided; the context stays in blocks', () => {
    expect(text('{{or empty name "x"}}{{and yes plan}}[{{and no plan}}{{or empty nobody}}]', data)).toBe(
      'adapro[false]',
    )
    expect(text('{{#with object}}{{#ne a "x"}}{{a}}{{../name}}{{/ne}}{{/with}}', data)).toBe('<ada')
  })
})

test('what helpers yield is escaped in HTML like any value', () => {
  const html = '{{upper name}}{{default missing "<b>"}}{{truncate name 2}}{{json name}}{{currency 5 "EUR" locale="fr"}}'
  const mail = prepareContent({ subject: '', preheader: '', html, text: '' }).render({ name: '<i>' }, NONE)
  expect(mail.html).toBe('&lt;I&gt;&lt;b&gt;&lt;…&quot;&lt;i&gt;&quot;5,00\u00a0€')
})

describe('calls are checked when a template is saved', () => {
  const details = (source: string, partials?: string[]) =>
    checkSource(source, partials).problems.map(({ line, detail }) => `${line}: ${detail}`)

  test.each([
    ['{{uper name}}', '1: There is no helper named "uper". Did you mean "upper"?'],
    ['\n{{capitalise name}}', '2: There is no helper named "capitalise". Did you mean "capitalize"?'],
    ['{{#if (gtt a b)}}{{/if}}', '1: There is no helper named "gtt". Did you mean "gt"?'],
    ['{{#eahc list}}{{/eahc}}{{eahc list}}', '1: There is no helper named "eahc". Did you mean "each"?'],
    ['{{qqq x}}', '1: There is no helper named "qqq".'],
    ['{{helperMissing x}}', '1: There is no helper named "helperMissing".'],
    ['{{constructor.constructor "x"}}', '1: There is no helper named "constructor.constructor".'],
    ['{{toString 1}}', '1: There is no helper named "toString".'],
    ['{{truncate name}}', '1: "truncate" needs 2 arguments, not 1.'],
    ['{{date a "long" "short"}}', '1: "date" needs 1 to 2 arguments, not 3.'],
    ['{{date at "lnog"}}', '1: Argument 2 of "date" must be one of short, medium, long,'],
    ['{{date "yesterday"}}', '1: Argument 1 of "date" must be a date such as "2026-06-01", not "yesterday".'],
    ['{{date at tz="UTC"}}', '1: "date" has no argument named "tz".'],
    ['{{date at timezon="UTC"}}', 'Did you mean "timezone"?'],
    [
      '{{date at timezone="Berlin"}}',
      '1: timezone of "date" must be a time zone such as "Europe/Berlin", not "Berlin".',
    ],
    ['{{upper x locale="english"}}', '1: locale of "upper" must be a language such as "en-GB", not "english".'],
    ['{{currency 5 "EURO"}}', '1: Argument 2 of "currency" must be a code of ISO 4217 such as "EUR", not "EURO".'],
    ['{{number "five"}}', '1: Argument 1 of "number" must be a number such as 1234.5, not "five".'],
    ['{{number x decimals="2"}}', '1: decimals of "number" must be a whole number from 0 to 20, not "2".'],
    ['{{truncate x 0}}', '1: Argument 2 of "truncate" must be a whole number from 1 to 10000, not 0.'],
    ['{{if a "x"}}', '1: "if" is a block: write {{#if …}}…{{/if}}.'],
    ['{{#if a b}}{{/if}}', '1: "if" needs one argument, not 2.'],
    ['{{#upper name}}x{{/upper}}', '1: "upper" yields a value and has no body: write {{upper …}}.'],
    ['{{#lookup a "b"}}x{{/lookup}}', '1: "lookup" yields a value'],
    [
      '{{#each orders}}{{date}}{{/each}}',
      '1: "date" is a helper and needs 1 to 2 arguments. A value of that name is {{this.date}}.',
    ],
    ['{{#each}}x{{/each}}', '1: "each" is a helper and needs one argument.'],
    ['{{raw}}', '1: "raw" is a block: write {{#raw …}}…{{/raw}}.'],
    ['x\n{{{{code}}}}{{x}}{{{{/code}}}}', '2: Raw blocks are written {{{{raw}}}}, not {{{{code}}}}.'],
    ['{{eq a}}', '1: "eq" needs 2 arguments, not 1.'],
    ['{{default (json) 1}}', '1: "json" is a helper and needs one argument.'],
    ['{{#each a as |upper|}}{{upper name}}{{/each}}', '1: "upper" is a block parameter here, not a helper.'],
    ['{{> a b c}}{{#*inline "a"}}{{/inline}}', '1: A partial takes one context'],
    [`{{a${'.a'.repeat(60)}}}`, '1: A path has at most 50 names.'],
    [`{{#if a${'.a'.repeat(60)}}}{{/if}}`, '1: A path has at most 50 names.'],
    ['a\nb\u0000', '2: The character U+0000 cannot be in a mail.'],
    ['a\ud83d b', '1: The character U+D83D cannot be in a mail.'],
    ['\udc00', '1: The character U+DC00 cannot be in a mail.'],
  ])('%j', (source, expected) => {
    expect(details(source).join('\n')).toContain(expected)
  })

  test.each([
    '{{this.date}}{{./number}}{{../upper}}{{@root.json}}{{date.year}}{{attributes.date}}',
    '{{#each a as |upper date|}}{{upper}}{{date}}{{#if upper}}{{/if}}{{/each}}',
    '{{#if date}}{{/if}}{{upper date}}{{default json number}}',
    '{{date at timezone=timezone locale=@root.locale}}{{truncate x n}}{{currency a b}}',
    '{{#eq a b}}{{else}}{{/eq}}{{#and a b c}}{{/and}}{{eq a b}}{{not a}}',
    '{{{{raw}}}} {{upper}} {{#if}} {{{{x}}}} {{{{/x}}}} {{{{/raw}}}}{{{{if a}}}}{{b}}{{{{/if}}}}',
    '{{#date.x}}{{/date.x}}{{#first_name}}{{/first_name}}😀',
  ])('%s is fine', (source) => {
    expect(details(source)).toEqual([])
  })

  test('partials that are given may be named, also by an expression', () => {
    expect(details('{{> footer}}{{> (lookup . "x")}}', ['footer'])).toEqual([])
    expect(details('{{> foter}}', ['footer'])).toEqual(['1: There is no partial named "foter". Did you mean "footer"?'])
    expect(details('{{> (nope "x")}}', ['footer'])).toEqual(['1: There is no helper named "nope".'])
  })
})
