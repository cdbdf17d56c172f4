import { describe, expect, test } from 'vitest'
import type { Resolver } from '../../../src/doctor/resolver.ts'
import { isPublicAddress } from '../../../src/webhooks/address.ts'
import { refusedByDns, refusedUrl } from '../../../src/webhooks/guard.ts'
import { resolverOf } from '../../support/webhooks.ts'

const deployed = { development: false, own_urls: ['https://mail.acme.com', 'https://T.acme.com/x', ''] }

describe('an address by its look', () => {
  test.each([
    'https://hooks.shop.com',
    'https://hooks.shop.com/a/b?token=1',
    'https://HOOKS.Shop.com:443/',
    'https://hooks.shop.com:8443/x',
    'https://bücher.de/hook',
    'https://xn--bcher-kva.de/hook',
    'https://a.b.c.d.shop.co.uk/',
    'https://my_host.shop.com/',
    'https://localhost.shop.com/',
    'https://10.0.0.1.nip.io/',
  ])('%s may be used', (url) => {
    expect(refusedUrl(url, deployed)).toBeNull()
  })

  test.each([
    ['http://hooks.shop.com/', 'https'],
    ['ftp://hooks.shop.com/', 'https'],
    ['file:///etc/passwd', 'https'],
    ['javascript:alert(1)', 'https'],
    ['gopher://hooks.shop.com', 'https'],
    ['//hooks.shop.com', 'an address such as'],
    ['hooks.shop.com', 'an address such as'],
    ['', 'an address such as'],
    ['https://', 'an address such as'],
    ['https://hooks.shop.com:99999', 'an address such as'],
    ['https://256.256.256.256/', 'an address such as'],
    ['https://user@hooks.shop.com/', 'user name'],
    ['https://user:secret@hooks.shop.com/', 'user name'],
    ['https://hooks.shop.com:443@10.0.0.1/', 'user name'],
    ['https://hooks.shop.com\\@10.0.0.1/', 'backslashes'],
    ['https://hooks.shop\n.com/', 'spaces'],
    [' https://hooks.shop.com/', 'spaces'],
    ['https://hooks.shop.com/#x', 'fragment'],
    ['https://hooks.shop.com:22/', 'port'],
    ['https://hooks.shop.com:25/', 'port'],
    ['https://hooks.shop.com:0/', 'port'],
    // One address, spelled in every way that programs read.
    ['https://127.0.0.1/', 'IP address'],
    ['https://127.1/', 'IP address'],
    ['https://127.0.1/', 'IP address'],
    ['https://2130706433/', 'IP address'],
    ['https://0x7f000001/', 'IP address'],
    ['https://0x7f.0.0.1/', 'IP address'],
    ['https://0177.0.0.1/', 'IP address'],
    ['https://017700000001/', 'IP address'],
    ['https://0x7F.1/', 'IP address'],
    ['https://127.0.0.1./', 'IP address'],
    ['https://１２７.０.０.１/', 'IP address'],
    ['https://127。0。0。1/', 'IP address'],
    ['https://①②⑦.0.0.1/', 'IP address'],
    ['https://%31%32%37.0.0.1/', 'IP address'],
    ['https://[::1]/', 'IP address'],
    ['https://[0:0:0:0:0:0:0:1]/', 'IP address'],
    ['https://[::ffff:127.0.0.1]/', 'IP address'],
    ['https://[::ffff:7f00:1]/', 'IP address'],
    ['https://[::ffff:169.254.169.254]/', 'IP address'],
    ['https://[64:ff9b::a00:1]/', 'IP address'],
    ['https://[fe80::1]/', 'IP address'],
    ['https://[fd00:ec2::254]/', 'IP address'],
    ['https://0/', 'IP address'],
    ['https://10.0.0.8/', 'IP address'],
    ['https://192.168.1.1:8443/', 'IP address'],
    ['https://169.254.169.254/latest/meta-data/', 'IP address'],
    ['https://2852039166/', 'IP address'],
    ['https://100.64.0.1/', 'IP address'],
    ['https://8.8.8.8/', 'IP address'],
    ['https://hooks.shop.com./', 'dot at the end'],
    ['https://localhost/', 'on the internet'],
    ['https://localhost:8443/', 'on the internet'],
    ['https://LOCALHOST/', 'on the internet'],
    ['https://intranet/', 'on the internet'],
    ['https://redis/', 'on the internet'],
    ['https://app.localhost/', 'private networks'],
    ['https://printer.local/', 'private networks'],
    ['https://printer.LOCAL/', 'private networks'],
    ['https://metadata.google.internal/', 'private networks'],
    ['https://db.corp/', 'private networks'],
    ['https://nas.lan/', 'private networks'],
    ['https://router.home.arpa/', 'private networks'],
    ['https://abc.onion/', 'private networks'],
    ['https://x.test/', 'private networks'],
    ['https://1.0.0.127.in-addr.arpa/', 'private networks'],
    ['https://mail.acme.com/api/v1/webhooks', 'this installation'],
    ['https://MAIL.acme.com:8443/', 'this installation'],
    ['https://t.acme.com/', 'this installation'],
    [`https://hooks.shop.com/${'x'.repeat(2000)}`, 'at most 2000'],
    [`https://${'x'.repeat(64)}.com/`, 'on the internet'],
  ])('%s is refused', (url, why) => {
    expect(refusedUrl(url, deployed)).toContain(why)
  })

  test('on a computer of one’s own that computer may be named, and nothing else', () => {
    const local = { ...deployed, development: true }
    for (const url of ['http://localhost:3000/hook', 'http://127.0.0.1:80', 'https://[::1]:9', 'http://2130706433/']) {
      expect(refusedUrl(url, local)).toBeNull()
    }
    expect(refusedUrl('http://hooks.shop.com/', local)).toContain('https')
    expect(refusedUrl('http://10.0.0.1/', local)).toContain('https')
    expect(refusedUrl('ftp://localhost/', local)).toContain('https')
    expect(refusedUrl('http://user@localhost/', local)).toContain('user name')
  })
})

describe('an address by where it leads', () => {
  const leads = (addresses: readonly string[] | 'failed') =>
    refusedByDns('https://hooks.shop.com/', resolverOf({ 'hooks.shop.com': addresses }), false)

  test('public addresses only', async () => {
    expect(await leads(['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'])).toBeNull()
    expect(await leads(['93.184.215.14', '127.0.0.1'])).toContain('private address')
    expect(await leads(['93.184.215.14', '::1'])).toContain('private address')
    expect(await leads([])).toContain('DNS has no address')
    expect(await leads('failed')).toContain('cannot be looked up')
  })

  test('one half of an answer is not enough', async () => {
    const known = resolverOf({ 'hooks.shop.com': ['93.184.215.14'] })
    const unknown = resolverOf({ 'hooks.shop.com': 'failed' })
    const half: Resolver = { look: (name, type) => (type === 'A' ? known : unknown).look(name, type) }
    expect(await refusedByDns('https://hooks.shop.com/', half, false)).toContain('cannot be looked up')
    expect(await refusedByDns('https://localhost/', unknown, true)).toBeNull()
  })
})

test.each([
  ['93.184.215.14', true],
  ['1.1.1.1', true],
  ['172.15.255.255', true],
  ['172.32.0.0', true],
  ['100.63.255.255', true],
  ['100.128.0.0', true],
  ['223.255.255.255', true],
  ['2606:4700:4700::1111', true],
  ['2a00:1450:4001:81b::200e', true],
  ['0.0.0.0', false],
  ['10.255.255.255', false],
  ['100.64.0.0', false],
  ['100.127.255.255', false],
  ['127.255.255.255', false],
  ['169.254.169.254', false],
  ['172.16.0.0', false],
  ['172.31.255.255', false],
  ['192.0.0.8', false],
  ['192.0.2.1', false],
  ['192.168.0.0', false],
  ['198.19.255.255', false],
  ['203.0.113.7', false],
  ['224.0.0.1', false],
  ['240.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['::ffff:93.184.215.14', false],
  ['::93.184.215.14', false],
  ['64:ff9b::5db8:d70e', false],
  ['100::1', false],
  ['2001::1', false],
  ['2001:db8::1', false],
  ['2002:a00:1::', false],
  ['3fff::1', false],
  ['fc00::1', false],
  ['fd12:3456::1', false],
  ['fe80::1', false],
  ['fec0::1', false],
  ['ff02::1', false],
  ['fe80::1%eth0', false],
  ['1::2::3', false],
  ['1:2:3:4:5:6:7:8:9', false],
  ['2606:4700::12345', false],
  ['1.2.3', false],
  ['1.2.3.4.5', false],
  ['1.2.3.256', false],
  ['example.com', false],
  ['', false],
])('%s is public: %s', (address, is_public) => {
  expect(isPublicAddress(address)).toBe(is_public)
})
