// The first command of the README, on a smaller audience: what it prints is held against what was done, by itself.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const DEMO = fileURLToPath(new URL('../../scripts/demo.ts', import.meta.url))

test('the demo sends a campaign and finds every number right', async () => {
  const subscribers = 200
  // Rejects with what it wrote when it ends with anything but 0.
  const { stdout } = await promisify(execFile)(process.execPath, [DEMO, '--json', '--subscribers', `${subscribers}`])
  const { audience, sent, failed, skipped, unconfirmed, inbox_unique, unique_opens, unsubscribed } = JSON.parse(stdout)
  expect({ sent, failed, skipped, unconfirmed, inbox_unique }).toEqual({
    sent: audience,
    failed: 0,
    skipped: 0,
    unconfirmed: 0,
    inbox_unique: audience,
  })
  expect(audience).toBeGreaterThan(subscribers * 0.9)
  expect(unique_opens).toBeGreaterThan(0)
  expect(unsubscribed).toBeGreaterThan(0)
})
