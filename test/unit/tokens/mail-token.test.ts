import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBase32, encodeBase32 } from '../../../src/tokens/base32.ts'
import { decodeBase64url, encodeBase64url } from '../../../src/tokens/base64url.ts'
import { parseSigningKeys } from '../../../src/tokens/keys.ts'
import {
  type MailPurpose,
  mailTokenAddress,
  readMailTokenAddress,
  signMailToken,
  verifyMailToken,
} from '../../../src/tokens/mail-token.ts'
import { signRecipient, verifyRecipient } from '../../../src/tokens/recipient.ts'
import { keysOf, secretOf } from './secrets.ts'

const PURPOSES: MailPurpose[] = ['bounce', 'unsubscribe-mail']
const keys = await keysOf('3:signing')
const id = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.maxSafeNat().filter((n) => n > 0),
)

test('base32 is that of RFC 4648, in lower case and without padding', () => {
  const written = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'].map((text) =>
    encodeBase32(new TextEncoder().encode(text)),
  )
  expect(written).toEqual(['', 'my', 'mzxq', 'mzxw6', 'mzxw6yq', 'mzxw6ytb', 'mzxw6ytboi'])
})

test('every byte string comes back from base32, in either case', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decodeBase32(encodeBase32(bytes))).toEqual(bytes)
      expect(decodeBase32(encodeBase32(bytes).toUpperCase())).toEqual(bytes)
    }),
  )
})

test('what can be read as base32 has one spelling', () => {
  const text = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567'), maxLength: 12 })
  fc.assert(
    fc.property(text, (spelling) => {
      const bytes = decodeBase32(spelling)
      if (bytes) expect(encodeBase32(bytes)).toBe(spelling)
    }),
    { numRuns: 2000 },
  )
})

test.each(['a', 'abc', 'abcdef', 'mz', 'my======', 'm1', 'm8', 'm0', 'm ', 'mĳ', 'm\u212a', '\u017fa'])(
  'base32 refuses %j',
  (text) => {
    expect(decodeBase32(text)).toBeNull()
  },
)

test('every pair of ids comes back, for the purpose it was signed for and no other, in any case', async () => {
  await fc.assert(
    fc.asyncProperty(id, id, fc.constantFrom(...PURPOSES), async (campaign_id, subscriber_id, purpose) => {
      const token = await signMailToken(keys, purpose, campaign_id, subscriber_id)
      const who = { campaign_id, subscriber_id, state: 'signing' }
      expect(await verifyMailToken(keys, purpose, token)).toEqual(who)
      expect(await verifyMailToken(keys, purpose, token.toUpperCase())).toEqual(who)
      for (const other of PURPOSES.filter((p) => p !== purpose)) {
        expect(await verifyMailToken(keys, other, token)).toBeNull()
      }
      const address = mailTokenAddress(purpose, token, 'bounce.example.com')
      expect(address.indexOf('@')).toBeLessThanOrEqual(64)
      expect(readMailTokenAddress(address)).toEqual({ purpose, token })
      expect(readMailTokenAddress(address.toUpperCase())).toEqual({ purpose, token: token.toUpperCase() })
    }),
  )
})

test('the local part fits in 64 octets with the longest ids', async () => {
  const longest = Number.MAX_SAFE_INTEGER
  const lengths = await Promise.all(
    PURPOSES.map(async (purpose) =>
      mailTokenAddress(purpose, await signMailToken(keys, purpose, longest, longest), 'd').indexOf('@'),
    ),
  )
  expect(lengths).toEqual([57, 64])
})

test.each(PURPOSES)('%s: a token with any bit changed, cut, or with a byte more is refused', async (purpose) => {
  const token = await signMailToken(keys, purpose, 70_000, 5_000_000)
  const bytes = decodeBase32(token) ?? new Uint8Array()
  expect(bytes.length).toBeGreaterThan(20)
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ (1 << bit)
      expect(await verifyMailToken(keys, purpose, encodeBase32(changed))).toBeNull()
    }
    expect(await verifyMailToken(keys, purpose, encodeBase32(bytes.subarray(0, at)))).toBeNull()
  }
  expect(await verifyMailToken(keys, purpose, encodeBase32(Uint8Array.from([...bytes, 0])))).toBeNull()
  expect(await verifyMailToken(keys, purpose, `${token}=`)).toBeNull()
  expect(await verifyMailToken(keys, purpose, ` ${token}`)).toBeNull()
})

test('a token of another installation, or of a URL, is refused', async () => {
  const foreign = await signMailToken(await parseSigningKeys(`3:signing:${secretOf(4)}`), 'bounce', 1, 2)
  expect(await verifyMailToken(keys, 'bounce', foreign)).toBeNull()
  const of_url = decodeBase64url(await signRecipient(keys, 'unsubscribe', 1, 2)) ?? new Uint8Array()
  expect(await verifyMailToken(keys, 'bounce', encodeBase32(of_url))).toBeNull()
  expect(await verifyMailToken(keys, 'unsubscribe-mail', encodeBase32(of_url.subarray(0, -2)))).toBeNull()
})

test('a token of an address is nothing in a URL', async () => {
  for (const purpose of PURPOSES) {
    const bytes = decodeBase32(await signMailToken(keys, purpose, 1, 2)) ?? new Uint8Array()
    for (const of_url of ['open', 'click', 'unsubscribe', 'view'] as const) {
      expect(await verifyRecipient(keys, of_url, encodeBase64url(bytes))).toBeNull()
    }
  }
})

test.each(['', 'b.abc', 'c.abcd@example.com', 'unsubscribe@example.com', 'b.abcd@@example.com', ' b.abcd@example.com'])(
  '%j is not an address of a token',
  (address) => {
    expect(readMailTokenAddress(address)).toBeNull()
  },
)

test('whatever stands where the token should is for the check to refuse', async () => {
  expect(readMailTokenAddress('b.@example.com')).toEqual({ purpose: 'bounce', token: '' })
  expect(readMailTokenAddress('Unsubscribe+me@example.com')).toEqual({ purpose: 'unsubscribe-mail', token: 'me' })
  for (const purpose of PURPOSES) {
    for (const token of ['', 'me', 'a1c', '\0', 'a'.repeat(10_000)]) {
      expect(await verifyMailToken(keys, purpose, token)).toBeNull()
    }
  }
})
