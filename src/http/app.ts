import { authenticate } from '../auth/authenticate.ts'
import { apiKeyRoutes } from '../auth/routes.ts'
import { senderRoutes } from '../senders/routes.ts'
import { settingsRoutes } from '../settings/routes.ts'
import { answerError, answerUnknownPath } from './failure.ts'
import { identify, secure } from './headers.ts'
import { healthRoutes } from './health.ts'
import { createRouter } from './route.ts'
import type { Services } from './services.ts'

/** The whole of emk-api's HTTP side. */
export function createApp(services: Services) {
  const app = createRouter()
  app.onError((error, c) => answerError(error, c, services.public_url))
  app.notFound((c) => answerUnknownPath(app, c))
  app.use(identify)

  // The request itself goes on: one that was built anew has lost its `cf` (country, network).
  app.all('/t/*', (c) => services.tracking.fetch(c.req.raw))
  app.all('/u/*', (c) => services.tracking.fetch(c.req.raw))

  app.use(secure)
  app.route('/', healthRoutes(services))

  app.use('/api/v1/*', authenticate(services))
  const owners = [apiKeyRoutes, senderRoutes, settingsRoutes]
  for (const routes of owners) app.route('/api/v1', routes(services))

  return app
}
