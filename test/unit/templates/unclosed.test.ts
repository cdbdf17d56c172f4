import { describe, expect, test } from 'vitest'
import { compileHtmlSource, compileMjmlSource, inColumn, problemsOf, rendered } from './compiling.ts'

describe('a source is refused, with the line,', () => {
  test.each([
    ['for a tag that never ends', '<p>a</p>\n<a href="https://x.example/">b</a\n', 2],
    ['for a quote that never ends', '<p>\n<a href="https://x.example/>b</a>\n<p>c</p>', 2],
    ['for a comment that never ends', '<p>a</p>\n\n<!-- b', 3],
    ['for a style that never ends', '<p>\n<style>p { }\n<p>b</p>', 2],
    ['for a title that never ends', '<html>\n<head><title>b\n</head>', 2],
    ['for MJML in HTML', '<p>\n<mj-text>x</mj-text></p>', 2],
    ['for a control character', 'a\n\u0001', 2],
    ['for one of the second set', 'a\n\u0085', 2],
    ['for NUL', 'a\n\u0000', 2],
    ['for half of a surrogate pair', 'a\n\ud83d', 2],
    ['for an unclosed block', 'a\n{{#if b}}', 2],
    ['for an unclosed expression', 'a\n{{b', 2],
  ])('%s', async (_, source, line) => {
    const [problem] = await problemsOf(compileHtmlSource(source))
    expect(problem).toMatchObject({ field: 'source', line })
    const [in_text] = await problemsOf(compileHtmlSource('x', 'a\n\u0001'))
    expect(in_text).toMatchObject({ field: 'text_source', line: 2 })
  })

  test.each([
    ['for MJML inside a text', '<mj-text>\n<mj-button>x</mj-button></mj-text>', 2],
    ['for MJML inside mj-raw', '<mj-raw>\n<mj-text>x</mj-text></mj-raw>', 2],
    ['for a tag that never ends', '<mj-text>\n<a href="x', 2],
  ])('%s', async (_, markup, line) => {
    const [problem] = await problemsOf(compileMjmlSource(inColumn(markup)))
    expect(problem).toMatchObject({ field: 'source', line })
  })
})

test.each([
  ['tabs, line breaks of any kind and form feeds', 'a\tb\r\nc\rd\fe'],
  ['a byte order mark', '\ufeff<p>x</p>'],
  ['< and > in text', '<p>a < b > c</p>'],
  ['comments that hold tags, and conditional ones', '<!-- <p --><!--[if mso]><p><![endif]-->x'],
  ['a style with what looks like a tag', '<style>a > b { content: "<p" }</style>'],
])('%s are fine', async (_, source) => {
  expect(rendered(await compileHtmlSource(source)).html).not.toBe('')
})
