import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeBase64url } from '../../../src/tokens/base64url.ts'
import { isTrackable, signLink, signRecipientLink, verifyLink, verifyRecipientLink } from '../../../src/tokens/link.ts'
import { mac } from '../../../src/tokens/mac.ts'
import { keysOf } from './secrets.ts'

const keys = await keysOf('3:signing')
const URL_TEXT = 'https://example.com/a%2Fb?x=1&y=é#Ω'

test('campaign, number and URL come back byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      fc.integer({ min: 1, max: 999_999_999 }),
      fc.oneof(fc.webUrl({ withFragments: true, withQueryParameters: true }), fc.constant(URL_TEXT)),
      async (campaign_id, n, url) => {
        const half = await signLink(keys, campaign_id, n, url)
        expect(await verifyLink(keys, half)).toEqual({ campaign_id, n, url, state: 'signing' })
      },
    ),
  )
})

test('any character changed, dropped or added is refused', async () => {
  const half = await signLink(keys, 12, 3, URL_TEXT)
  for (let at = 0; at < half.length; at++) {
    for (const other of ['A', '0', '.', '_']) {
      if (half[at] === other) continue
      expect(await verifyLink(keys, half.slice(0, at) + other + half.slice(at + 1))).toBeNull()
    }
    expect(await verifyLink(keys, half.slice(0, at) + half.slice(at + 1))).toBeNull()
  }
  expect(await verifyLink(keys, `${half}A`)).toBeNull()
  expect(await verifyLink(keys, `0${half}`)).toBeNull()
})

test('another spelling of the MAC is refused', async () => {
  const half = await signLink(keys, 12, 3, URL_TEXT)
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  // 16 bytes leave four bits over in the last character: its three neighbours decode to the same bytes.
  const last = ALPHABET.indexOf(half.at(-1) ?? '')
  for (let more = 1; more < 4; more++) {
    expect(await verifyLink(keys, half.slice(0, -1) + ALPHABET[last + more])).toBeNull()
  }
})

test.each([
  'javascript:alert(1)',
  'data:text/html,x',
  'ftp://example.com/',
  'mailto:a@example.com',
  '//example.com',
  '/path',
  'https:example.com',
  'https://',
  'https:///example.com',
  ' https://example.com',
  'https://example.com/\r\nSet-Cookie: a=b',
  'https://example.com/\u0000',
  'https://exa mple.com/',
  `https://example.com/${'a'.repeat(8000)}`,
  'https://example.com/\ud800',
])('refuses to sign %j, and to redirect to it under a right MAC', async (url) => {
  expect(isTrackable(url)).toBe(false)
  await expect(signLink(keys, 1, 1, url)).rejects.toThrow(RangeError)
  const signed = `3.1.1.${encodeBase64url(new TextEncoder().encode(url))}`
  const tag = await mac(keys.signing, 'link', new TextEncoder().encode(signed), 16)
  const link = await verifyLink(keys, `${signed}.${encodeBase64url(tag)}`)
  // The lone surrogate cannot even be written: its bytes are those of U+FFFD, a harmless URL.
  expect(link?.url ?? null).toBe(url.isWellFormed() ? null : 'https://example.com/\ufffd')
})

test('a URL that is not UTF-8 is refused under a right MAC', async () => {
  const signed = `3.1.1.${encodeBase64url(Uint8Array.from([...new TextEncoder().encode('https://a.example/'), 0xff]))}`
  const tag = await mac(keys.signing, 'link', new TextEncoder().encode(signed), 16)
  expect(await verifyLink(keys, `${signed}.${encodeBase64url(tag)}`)).toBeNull()
})

test.each([
  [0, 1],
  [1, 0],
  [1.5, 1],
  [1, -1],
  [1, 1e9],
])('signing refuses campaign %d, number %d', async (campaign_id, n) => {
  await expect(signLink(keys, campaign_id, n, URL_TEXT)).rejects.toThrow(RangeError)
})

test('rotation: links of retired keys still redirect, those of revoked keys do not', async () => {
  const half = await signLink(await keysOf('1:signing'), 9, 2, URL_TEXT)
  const link = { campaign_id: 9, n: 2, url: URL_TEXT }
  expect(await verifyLink(await keysOf('2:signing,1:redirect-only'), half)).toEqual({ ...link, state: 'redirect-only' })
  expect(await verifyLink(await keysOf('2:signing'), half)).toBeNull()
})

const RECIPIENT = { campaign_id: 12, subscriber_id: 345 }

test('a link of one recipient comes back for that recipient only', async () => {
  const half = await signRecipientLink(keys, RECIPIENT, 3, URL_TEXT)
  expect(await verifyRecipientLink(keys, half, RECIPIENT)).toEqual({
    campaign_id: 12,
    n: 3,
    url: URL_TEXT,
    state: 'signing',
  })
  for (const other of [
    { campaign_id: 12, subscriber_id: 346 },
    { campaign_id: 13, subscriber_id: 345 },
    { campaign_id: 1, subscriber_id: 2345 },
  ]) {
    expect(await verifyRecipientLink(keys, half, other)).toBeNull()
  }
})

test('the two kinds of halves are noise to each other, also without the letter that tells them apart', async () => {
  const shared = await signLink(keys, 12, 3, URL_TEXT)
  const half = await signRecipientLink(keys, RECIPIENT, 3, URL_TEXT)
  expect(half.startsWith('r')).toBe(true)
  for (const one of [half, half.slice(1), `r${shared}`]) expect(await verifyLink(keys, one)).toBeNull()
  for (const one of [shared, half.slice(1), `r${shared}`, `r${half}`]) {
    expect(await verifyRecipientLink(keys, one, RECIPIENT)).toBeNull()
  }
})

test('any character of a recipient’s link changed, dropped or added is refused', async () => {
  const half = await signRecipientLink(keys, RECIPIENT, 3, URL_TEXT)
  for (let at = 0; at < half.length; at++) {
    const other = half[at] === 'A' ? 'B' : 'A'
    expect(await verifyRecipientLink(keys, half.slice(0, at) + other + half.slice(at + 1), RECIPIENT)).toBeNull()
    expect(await verifyRecipientLink(keys, half.slice(0, at) + half.slice(at + 1), RECIPIENT)).toBeNull()
  }
})
