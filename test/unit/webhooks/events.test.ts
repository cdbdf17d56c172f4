import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EVENT_TYPES } from '../../../src/webhooks/events.ts'

const PAGE = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8')

test('docs/webhooks.md has a row for every event and for no other', () => {
  const rows = PAGE.split('\n').filter((line) => /^\| `(?:subscriber|campaign|delivery)\./.test(line))
  const named = rows.flatMap((row) => {
    const names = [...(row.split('|')[1] ?? '').matchAll(/`([a-z]*\.[a-z]+)`/g)].map(([, name = '']) => name)
    const family = names[0]?.split('.')[0]
    return names.map((name) => (name.startsWith('.') ? `${family}${name}` : name))
  })
  expect(named.sort()).toEqual([...EVENT_TYPES].sort())
})
