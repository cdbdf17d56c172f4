import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBase64url, encodeBase64url } from '../../../src/tokens/base64url.ts'
import { mac } from '../../../src/tokens/mac.ts'
import { type RecipientPurpose, signRecipient, verifyRecipient } from '../../../src/tokens/recipient.ts'
import { keysOf } from './secrets.ts'

const PURPOSES: RecipientPurpose[] = ['open', 'click', 'unsubscribe', 'view']
const keys = await keysOf('3:signing')

test('every pair of ids comes back, for the purpose it was signed for and no other', async () => {
  const id = fc.oneof(
    fc.integer({ min: 1, max: 300 }),
    fc
      .maxSafeInteger()
      .map(Math.abs)
      .filter((n) => n > 0),
  )
  await fc.assert(
    fc.asyncProperty(id, id, fc.constantFrom(...PURPOSES), async (campaign_id, subscriber_id, purpose) => {
      const token = await signRecipient(keys, purpose, campaign_id, subscriber_id)
      expect(token).toMatch(/^[\w-]+$/)
      expect(await verifyRecipient(keys, purpose, token)).toEqual({ campaign_id, subscriber_id, state: 'signing' })
      for (const other of PURPOSES.filter((p) => p !== purpose)) {
        expect(await verifyRecipient(keys, other, token)).toBeNull()
      }
    }),
  )
})

test('a MAC is 12 bytes for opens and clicks, 16 for unsubscribes and views', async () => {
  const sizes = await Promise.all(
    PURPOSES.map(async (purpose) => decodeBase64url(await signRecipient(keys, purpose, 1, 1))?.length),
  )
  expect(sizes).toEqual([4 + 12, 4 + 12, 4 + 16, 4 + 16])
})

test.each(PURPOSES)('%s: a token with any bit changed, cut, or with a byte more is refused', async (purpose) => {
  const token = await signRecipient(keys, purpose, 70_000, 5_000_000)
  const bytes = decodeBase64url(token) ?? new Uint8Array()
  expect(bytes.length).toBeGreaterThan(16)
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ (1 << bit)
      expect(await verifyRecipient(keys, purpose, encodeBase64url(changed))).toBeNull()
    }
    expect(await verifyRecipient(keys, purpose, encodeBase64url(bytes.subarray(0, at)))).toBeNull()
  }
  expect(await verifyRecipient(keys, purpose, encodeBase64url(Uint8Array.from([...bytes, 0])))).toBeNull()
  expect(await verifyRecipient(keys, purpose, token.toUpperCase())).toBeNull()
  expect(await verifyRecipient(keys, purpose, `${token}=`)).toBeNull()
  expect(await verifyRecipient(keys, purpose, ` ${token}`)).toBeNull()
})

test.each([
  ['a varint with a needless byte', [0x81, 0x00], [0x05]],
  ['a campaign of zero', [0x00], [0x05]],
  ['a subscriber of zero', [0x05], [0x00]],
  ['an id past the safe integers', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [0x05]],
  ['a varint of nine bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], [0x05]],
  ['a varint without an end', [0x80], []],
])('refuses %s even under a right MAC', async (_name, campaign, subscriber) => {
  const payload = Uint8Array.from([1, keys.signing.id, ...campaign, ...subscriber])
  const tag = await mac(keys.signing, 'open', payload, 12)
  expect(await verifyRecipient(keys, 'open', encodeBase64url(Uint8Array.from([...payload, ...tag])))).toBeNull()
})

test('refuses another version even under a right MAC', async () => {
  const payload = Uint8Array.from([2, keys.signing.id, 5, 5])
  const tag = await mac(keys.signing, 'open', payload, 12)
  expect(await verifyRecipient(keys, 'open', encodeBase64url(Uint8Array.from([...payload, ...tag])))).toBeNull()
})

test('noise is refused without an error', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), async (noise) => {
      expect(await verifyRecipient(keys, 'click', noise)).toBeNull()
    }),
    { numRuns: 500 },
  )
})

test('rotation: old keys still verify and say their state, revoked ones do not', async () => {
  const token = await signRecipient(await keysOf('1:signing'), 'unsubscribe', 9, 8)
  const who = { campaign_id: 9, subscriber_id: 8 }
  expect(await verifyRecipient(await keysOf('2:signing,1:verifying'), 'unsubscribe', token)).toEqual({
    ...who,
    state: 'verifying',
  })
  expect(await verifyRecipient(await keysOf('2:signing,1:redirect-only'), 'unsubscribe', token)).toEqual({
    ...who,
    state: 'redirect-only',
  })
  expect(await verifyRecipient(await keysOf('2:signing'), 'unsubscribe', token)).toBeNull()
})

test.each([0, -1, 1.5, Number.NaN, 2 ** 53])('signing refuses the id %d', async (id) => {
  await expect(signRecipient(keys, 'open', id, 1)).rejects.toThrow(RangeError)
  await expect(signRecipient(keys, 'open', 1, id)).rejects.toThrow(RangeError)
})
