import { env, exports } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'

// Nothing listens on port 1.
Object.assign(env, { UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1' })

test('without Redis the real queue takes an unsubscribe', async () => {
  const token = await signRecipient(await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS), 'unsubscribe', 7, 42)
  const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
  expect((await exports.default.fetch(`https://mail.test/u/${token}`, { method: 'POST', body })).status).toBe(200)
})
