import { Hono } from 'hono'
import type { AppEnv } from '../context.ts'
import { SCRIPT, STYLE } from './assets.ts'
import { homePage, problemsPage } from './home.ts'
import { type Reference, referencePage } from './page.ts'

/** Nothing but this Worker's own style, script and API. */
const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const HTML = { 'content-security-policy': POLICY, 'cache-control': 'no-cache' }

/**
 * The pages for people who build on the API. They are open: they tell nothing that the repository does not.
 *
 * @param describe - makes the OpenAPI document; called once, at the first need of it
 */
export function docsRoutes(describe: () => Reference, public_url: string) {
  let document: Reference | undefined
  const read = () => {
    document ??= describe()
    return document
  }
  const router = new Hono<AppEnv>()
  router.get('/', (c) => c.html(homePage(), 200, HTML))
  router.get('/problems', (c) => c.html(problemsPage(), 200, HTML))
  router.get('/openapi.json', (c) => c.json(read(), 200, { 'cache-control': 'no-cache' }))
  router.get('/docs', (c) => c.html(referencePage(read(), public_url || new URL(c.req.url).origin), 200, HTML))
  router.get('/docs/docs.css', (c) => c.body(STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }))
  router.get('/docs/docs.js', (c) => c.body(SCRIPT, 200, { 'content-type': 'text/javascript; charset=utf-8' }))
  return router
}
