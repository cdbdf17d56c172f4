import { describe, expect, test } from 'vitest'
import { contrast, textOn } from '../../../src/pages/contrast.ts'
import { noticeMail } from '../../../src/transactional/notice.ts'

const BRAND = { brand_name: null, brand_logo_url: null, brand_color: null, home_url: null, privacy_url: null }
const NOTICE = {
  subject: 'Please confirm',
  paragraphs: ['First', 'Second & last'],
  button: { label: 'Yes', url: 'https://mail.example/confirm/a?b=1&c=2' },
  small: 'Or do nothing',
}

test('the text says everything that the HTML says', () => {
  const { html, text } = noticeMail(NOTICE, { ...BRAND, brand_name: 'Acme' }, 'Main Street 1\nOslo')
  expect(text).toBe(
    'First\n\nSecond & last\n\nYes:\nhttps://mail.example/confirm/a?b=1&c=2\n\nOr do nothing\n\n-- \nAcme\nMain Street 1\nOslo\n',
  )
  expect(html).toContain('Second &amp; last')
  expect(html.match(/href="https:\/\/mail\.example\/confirm\/a\?b=1&amp;c=2"/g)).toHaveLength(2)
  expect(html).toContain('Main Street 1<br>Oslo')
})

test('nothing of the brand or the words becomes markup', () => {
  const bad = `"><script>alert('x')</script>`
  const { html } = noticeMail(
    { language: bad, subject: bad, paragraphs: [bad], button: { label: bad, url: bad }, small: bad },
    { ...BRAND, brand_name: bad, brand_logo_url: bad, home_url: bad, privacy_url: bad },
    bad,
  )
  expect(html).not.toContain('<script>')
  expect(html).not.toContain('"">')
})

test('without button, brand and address nothing is left over for them', () => {
  const { html, text } = noticeMail({ subject: 'S', paragraphs: ['P'], button: null, small: null }, BRAND)
  expect(text).toBe('P\n')
  expect(html).not.toMatch(/<img|<a |null|undefined/)
})

describe('a button can be read whatever its colour', () => {
  test.each([['#ffffff'], ['#000000'], ['#767676'], ['#ff0000'], ['#00ff00'], ['#0000ff'], ['#ffd700'], ['#1d4ed8']])(
    '%s',
    (color) => {
      expect(contrast(color, textOn(color))).toBeGreaterThanOrEqual(4.5)
      expect(noticeMail(NOTICE, { ...BRAND, brand_color: color }).html).toContain(`bgcolor="${color}"`)
    },
  )
  test('no colour of all leaves it below 4.5:1', () => {
    for (let level = 0; level < 256; level++) {
      const grey = `#${level.toString(16).padStart(2, '0').repeat(3)}`
      expect(contrast(grey, textOn(grey)), grey).toBeGreaterThanOrEqual(4.5)
    }
  })
  test('contrast is what WCAG says', () => {
    expect(contrast('#ffffff', '#000000')).toBeCloseTo(21)
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
  })
})
