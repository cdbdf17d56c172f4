import { describe, expect, test } from 'vitest'
import { asciiDomain, isAligned, organisationalDomain } from '../../../src/doctor/domain.ts'
import { rsaBits } from '../../../src/doctor/rsa.ts'
import { isSpf, readSpf } from '../../../src/doctor/spf-record.ts'
import { readTags } from '../../../src/doctor/tags.ts'
import { publicKey } from './healthy.ts'

test.each([
  ['Example.COM.', 'example.com'],
  [' news.example.com ', 'news.example.com'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['localhost', null],
  ['192.0.2.1', null],
  ['1.2.3', null],
  ['[::1]', null],
  ['example.com/path', null],
  ['user@example.com', null],
  ['example..com', null],
  ['-a-.example com', null],
  ['', null],
  [`${'a'.repeat(64)}.example`, null],
])('%j as a domain is %j', (text, domain) => {
  expect(asciiDomain(text)).toBe(domain)
})

test('domains belong together by the public suffix list', () => {
  expect(organisationalDomain('a.b.example.co.uk')).toBe('example.co.uk')
  expect(organisationalDomain('co.uk')).toBe('co.uk')
  expect(organisationalDomain('me.github.io')).toBe('me.github.io')
  expect(isAligned('bounces.example.co.uk', 'example.co.uk', false)).toBe(true)
  expect(isAligned('bounces.example.co.uk', 'example.co.uk', true)).toBe(false)
  expect(isAligned('other.co.uk', 'example.co.uk', false)).toBe(false)
  expect(isAligned('you.github.io', 'me.github.io', false)).toBe(false)
})

test.each([512, 1024, 2048, 2047])('a key of %i bits is measured', (bits) => {
  expect(rsaBits(Buffer.from(publicKey(bits), 'base64'))).toBe(bits)
})

test('what is no RSA key, or not all of one, has no length', () => {
  const der = Buffer.from(publicKey(1024), 'base64')
  for (let end = 0; end < der.length; end++) expect(rsaBits(der.subarray(0, end))).toBeNull()
  const ec =
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=='
  expect(rsaBits(Buffer.from(ec, 'base64'))).toBeNull()
})

describe('SPF records', () => {
  test.each([
    ['v=spf1 -all', true],
    ['V=SPF1 -all', true],
    ['v=spf1', true],
    ['v=spf10 -all', false],
    [' v=spf1 -all', false],
    ['spf2.0/pra -all', false],
  ])('%j is one: %j', (text, is_one) => {
    expect(isSpf(text)).toBe(is_one)
  })

  test.each([
    'a',
    'a/24',
    'a:mail.example.com/24//64',
    'mx//64',
    'MX:example.com',
    'ip4:192.0.2.0/24',
    'ip6:2001:db8::/32',
    'ip6:::ffff:192.0.2.1',
    '-exists:%{ir}.sbl.example.org',
    'include:_spf.%{d2}',
    'redirect=_spf.example.com',
    'exp=explain._spf.%{d}',
    'unknown-modifier=anything',
    '?ptr:example.com',
  ])('%s can be read', (term) => {
    expect(readSpf(`v=spf1 ${term} -all`).faults).toEqual([])
  })

  test.each([
    'ip4:192.0.2.0/33',
    'ip4:192.0.2.256',
    'ip4',
    'ip6:192.0.2.1/129',
    'ip6:gggg::',
    'include',
    'include:',
    `${'include:exa mple'.split(' ')[0]}!`,
    'all:example.com',
    'a/33',
    'mx//129',
    'redirect=',
    'ipv4:192.0.2.1',
    '"v=spf1',
    '~ all'.split(' ')[0] ?? '',
  ])('%s cannot', (term) => {
    expect(readSpf(`v=spf1 ${term} -all`).faults).toEqual([term])
  })
})

test('tag lists are read as DKIM and DMARC write them', () => {
  expect(readTags('v=DMARC1;p=none ; rua = mailto:a@example.com;')).toEqual(
    new Map([
      ['v', 'DMARC1'],
      ['p', 'none'],
      ['rua', 'mailto:a@example.com'],
    ]),
  )
  expect(readTags('v=DKIM1; p=a; p=b')).toBeNull()
  expect(readTags('v=DKIM1 p=a')).toEqual(new Map([['v', 'DKIM1 p=a']]))
  expect(readTags('p=a;; k=rsa')).toBeNull()
  expect(readTags('hello')).toBeNull()
})
