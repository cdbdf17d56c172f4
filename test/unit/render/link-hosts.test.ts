import { expect, test } from 'vitest'
import { parseLinkHosts } from '../../../src/render/link-hosts.ts'

test('hosts are taken as written, or below a star', () => {
  const hosts = parseLinkHosts(' Shop.example.com, *.partner.example ,,localhost')
  for (const yes of ['shop.example.com', 'SHOP.example.com', 'a.partner.example', 'a.b.partner.example', 'localhost']) {
    expect(hosts(yes), yes).toBe(true)
  }
  const no = [
    'example.com',
    'a.shop.example.com',
    'partner.example',
    'evilpartner.example',
    'shop.example.com.evil',
    '',
  ]
  for (const host of no) expect(hosts(host), host).toBe(false)
})

test('nothing named is nobody', () => {
  expect(parseLinkHosts('')('example.com')).toBe(false)
})

test.each([
  'https://shop.example.com',
  'shop.example.com/x',
  '*',
  '*.',
  'a..b',
  'a b',
  'shop.example.com:443',
  '.example',
])('%j is refused by name', (text) => {
  expect(() => parseLinkHosts(`ok.example,${text}`)).toThrow(`LINK_HOSTS: "${text}" is not a host name`)
})
