import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { escapeHtml, layout, STYLE, STYLE_HASH } from '../../../src/pages/layout.ts'

test('the policy names the style that the pages carry', () => {
  expect(STYLE_HASH).toBe(`sha256-${createHash('sha256').update(STYLE).digest('base64')}`)
  expect(layout('x', '')).toContain(`<style>${STYLE}</style>`)
})

test('text is safe in content and in attributes', () => {
  expect(escapeHtml(`<b a="1" c='2'>&amp;`)).toBe('&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;')
  expect(layout('</title><script>', '')).not.toContain('<script>')
})
