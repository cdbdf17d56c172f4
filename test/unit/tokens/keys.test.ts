import { expect, test } from 'vitest'
import { DEVELOPMENT_HASH_KEY, DEVELOPMENT_SIGNING_KEYS, usesDevelopmentKeys } from '../../../src/tokens/development.ts'
import { parseSigningKeys } from '../../../src/tokens/keys.ts'
import { secretOf } from './secrets.ts'

const SECRET = secretOf(1)

test('reads every state and finds keys by id', async () => {
  const keys = await parseSigningKeys(`7:signing:${SECRET}, 6:verifying:${secretOf(2)},0:redirect-only:${secretOf(3)}`)
  expect(keys.signing.id).toBe(7)
  expect([...keys.byId.values()].map(({ id, state }) => [id, state])).toEqual([
    [7, 'signing'],
    [6, 'verifying'],
    [0, 'redirect-only'],
  ])
})

test.each([
  ['nothing', '', /empty/],
  ['a bare secret', SECRET, /not id:state:secret/],
  ['a fourth part', `1:signing:${SECRET}:x`, /not id:state:secret/],
  ['an id over 255', `256:signing:${SECRET}`, /0 to 255/],
  ['an id with a leading zero', `01:signing:${SECRET}`, /0 to 255/],
  ['an id that is a word', `one:signing:${SECRET}`, /0 to 255/],
  ['an unknown state', `1:revoked:${SECRET}`, /state is not one of/],
  ['a secret with padding', `1:signing:${SECRET}=`, /base64url/],
  ['a secret in plain base64', `1:signing:${SECRET.slice(0, -1)}+`, /base64url/],
  ['a secret of 31 bytes', `1:signing:${SECRET.slice(0, 42)}`, /base64url|31 bytes/],
  ['a short secret', `1:signing:${SECRET.slice(0, 40)}`, /30 bytes, at least 32/],
  ['no signing key', `1:verifying:${SECRET}`, /no key is "signing"/],
  ['two signing keys', `1:signing:${SECRET},2:signing:${secretOf(2)}`, /more than one/],
  ['one id twice', `1:signing:${SECRET},1:verifying:${secretOf(2)}`, /entry 2: its id is taken/],
  ['an empty entry', `1:signing:${SECRET},`, /entry 2: is not/],
])('refuses %s, and the message holds no part of the secret', async (_name, text, message) => {
  const error = await parseSigningKeys(text).then(
    () => null,
    (e: unknown) => (e instanceof Error ? e : null),
  )
  expect(error?.message).toMatch(message)
  expect(error?.message).not.toContain(SECRET.slice(0, 8))
})

test('the development keys parse, and production knows them', async () => {
  expect((await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)).signing.id).toBe(1)
  expect(DEVELOPMENT_HASH_KEY.length).toBeGreaterThanOrEqual(32)
  expect(usesDevelopmentKeys('production', DEVELOPMENT_SIGNING_KEYS)).toBe(true)
  expect(usesDevelopmentKeys('production', `2:signing:${SECRET},${DEVELOPMENT_SIGNING_KEYS}`)).toBe(true)
  expect(usesDevelopmentKeys('development', DEVELOPMENT_SIGNING_KEYS)).toBe(false)
  expect(usesDevelopmentKeys('production', `1:signing:${SECRET}`)).toBe(false)
})
