import { expect, test } from 'vitest'
import { checkBundles, TRACKING_INPUTS } from '../../scripts/check/bundles.ts'
import { WRANGLER_FILES } from '../../scripts/check/wrangler-files.ts'
import { Checkout } from '../support/checkout.ts'

const BUILD_TIMEOUT_MS = 120_000

function checkoutOfSmallWorkers(): Checkout {
  const checkout = new Checkout(WRANGLER_FILES)
  const entry = "export default { fetch: () => new Response('here') }\n"
  checkout.write('workers/api.ts', entry)
  checkout.write(
    'workers/tracking.ts',
    `import { pixel } from '../src/tracking/pixel.ts'\nexport default { fetch: () => new Response(pixel) }\n`,
  )
  checkout.write('src/tracking/pixel.ts', "export const pixel = 'GIF89a'\n")
  checkout.write(
    'workers/sender.ts',
    "import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers'\nexport class AccountGate extends DurableObject {}\nexport class SenderRpc extends WorkerEntrypoint {}\nexport default { async queue() {} }\n",
  )
  return checkout
}

test('a Worker that does not build is named with the reason; the list of emk-tracking is written by update, and holds afterwards', {
  timeout: BUILD_TIMEOUT_MS,
}, async () => {
  const checkout = checkoutOfSmallWorkers()
  const entry = checkout.read('workers/api.ts')
  checkout.write('workers/api.ts', "import { gone } from '../src/gone.ts'\nexport default gone\n")
  expect((await checkBundles(checkout.root, false)).problems).toEqual([
    expect.stringMatching(/^emk-api does not build: [\s\S]*gone\.ts/),
    `emk-tracking now holds src/tracking/pixel.ts, workers/tracking.ts, not in ${TRACKING_INPUTS}`,
  ])
  checkout.write('workers/api.ts', entry)
  expect((await checkBundles(checkout.root, true)).problems).toEqual([])
  expect(checkout.read(TRACKING_INPUTS)).toBe('src/tracking/pixel.ts\nworkers/tracking.ts\n')
  const { problems, sizes } = await checkBundles(checkout.root, false)
  expect(problems).toEqual([])
  expect(sizes.map((size) => size.split(' ')[0])).toEqual(['emk-api', 'emk-sender', 'emk-tracking'])
})

test('what may not be in a bundle is named', { timeout: BUILD_TIMEOUT_MS }, async () => {
  const checkout = checkoutOfSmallWorkers()
  checkout.write('src/providers/smtp.ts', "export const smtp = 'code of a provider'\n")
  checkout.write(
    'workers/api.ts',
    "import { smtp } from '../src/providers/smtp.ts'\nexport default { fetch: () => new Response(smtp) }\n",
  )
  checkout.replace('workers/sender.ts', 'async queue() {}', "async queue() { (await import('cheerio')).load('') }")
  checkout.write(
    'src/tracking/pixel.ts',
    "import { Hono } from 'hono'\nexport const pixel = new Hono().routes.join()\n",
  )
  // As much text as fills the edge's budget, of a kind that gzip cannot shrink.
  const noise = Array.from({ length: 70_000 }, (_, n) => Math.imul(n + 1, 2_654_435_761) >>> 0).join('')
  checkout.replace('workers/tracking.ts', 'new Response(pixel)', `new Response(pixel + '${noise}')`)
  const { problems } = await checkBundles(checkout.root, true)
  expect(problems).toEqual([
    expect.stringMatching(/^emk-api holds src\/providers\/smtp\.ts: /),
    expect.stringMatching(/^emk-sender holds node_modules\/cheerio\/.* more: MJML/),
    expect.stringMatching(/^emk-tracking holds node_modules\/hono\//),
    expect.stringMatching(/^emk-tracking is \d+\.\d kB gzip, over 60\.0 kB$/),
  ])
})
