import { expect, test } from 'vitest'
import { hashApiKey, newApiKey } from '../../../src/auth/key.ts'

test('a key is its random bytes, a prefix to know it by, and a hash to find it by', async () => {
  const made = await newApiKey(new Uint8Array(32).fill(0xfb))
  expect(made.key).toBe(`emk_${Buffer.alloc(32, 0xfb).toString('base64url')}`)
  expect(made.key).toMatch(/^emk_[\w-]{43}$/)
  expect(made.prefix).toBe(made.key.slice(0, 12))
  expect(made.hash).toBe(await hashApiKey(made.key))
})

test('the hash is SHA-256 in hex (FIPS 180-4, example "abc")', async () => {
  expect(await hashApiKey('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('fewer random bytes are refused', async () => {
  await expect(newApiKey(new Uint8Array(16))).rejects.toThrow('32 random bytes, not 16')
})
