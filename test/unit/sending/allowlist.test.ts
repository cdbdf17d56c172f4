import { expect, test } from 'vitest'
import { parseAllowlist } from '../../../src/sending/allowlist.ts'

test('empty allows nobody, * everybody', () => {
  expect(parseAllowlist('')('ada@example.com')).toBe(false)
  expect(parseAllowlist(' , ,')('ada@example.com')).toBe(false)
  expect(parseAllowlist('*')('ada@example.com')).toBe(true)
  expect(parseAllowlist('grace@example.com, *')('ada@example.com')).toBe(true)
})

test('an address or a domain, in any case, and nothing like them', () => {
  const allowed = parseAllowlist('Ada@Example.com, @acme.example')
  for (const email of ['ada@example.com', 'ADA@EXAMPLE.COM', 'anybody@ACME.example']) expect(allowed(email)).toBe(true)
  for (const email of [
    'ada@example.com.evil.test',
    'xada@example.com',
    'a@sub.acme.example',
    'a@evilacme.example',
    '',
  ]) {
    expect(allowed(email)).toBe(false)
  }
})
