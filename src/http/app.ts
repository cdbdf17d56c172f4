import { attributeRoutes } from '../attributes/routes.ts'
import { authenticate } from '../auth/authenticate.ts'
import { apiKeyRoutes } from '../auth/routes.ts'
import { campaignRoutes } from '../campaigns/routes.ts'
import { webViewPage } from '../campaigns/web-view.ts'
import { doctorRoutes } from '../doctor/routes.ts'
import { exportRoutes } from '../exports/routes.ts'
import { feedbackRoutes } from '../feedback/routes.ts'
import { importRoutes } from '../imports/routes.ts'
import { listRoutes } from '../lists/routes.ts'
import { partialRoutes } from '../partials/routes.ts'
import { preferencePages, preferenceRoutes } from '../preferences/routes.ts'
import { reportLinkPage, reportRoutes } from '../reports/routes.ts'
import { segmentRoutes } from '../segments/routes.ts'
import { senderRoutes } from '../senders/routes.ts'
import { settingsRoutes } from '../settings/routes.ts'
import { confirmPages } from '../signup/confirm-page.ts'
import { signupFormPages } from '../signup/form-page.ts'
import { signupRoutes } from '../signup/routes.ts'
import { statsRoutes } from '../stats/routes.ts'
import { subscriberRoutes } from '../subscribers/routes.ts'
import { suppressionRoutes } from '../suppressions/routes.ts'
import { previewPage } from '../templates/preview-page.ts'
import { templateRoutes } from '../templates/routes.ts'
import { testSendRoutes } from '../transactional/routes.ts'
import { afterCalls } from '../webhooks/after-call.ts'
import { webhookRoutes } from '../webhooks/routes.ts'
import { docsRoutes } from './docs/routes.ts'
import { answerError, answerUnknownPath } from './failure.ts'
import { identify, secure } from './headers.ts'
import { healthRoutes } from './health.ts'
import { openApiDocument } from './openapi.ts'
import { createRouter } from './route.ts'
import type { Services } from './services.ts'

/** The owners of what lies under /api/v1, in the order of the reference. */
const OWNERS = [
  exportRoutes,
  subscriberRoutes,
  preferenceRoutes,
  attributeRoutes,
  listRoutes,
  importRoutes,
  signupRoutes,
  segmentRoutes,
  suppressionRoutes,
  campaignRoutes,
  reportRoutes,
  statsRoutes,
  testSendRoutes,
  templateRoutes,
  partialRoutes,
  senderRoutes,
  webhookRoutes,
  settingsRoutes,
  doctorRoutes,
  apiKeyRoutes,
]

/** The whole of emk-api's HTTP side. */
export function createApp(services: Services) {
  const { tracking, public_url } = services
  const app = createRouter()
  app.onError((error, c) => answerError(error, c, public_url))
  app.notFound((c) => answerUnknownPath(app, c, public_url))
  app.use(identify)

  // The request itself goes on: one that was built anew has lost its `cf` (country, network).
  app.all('/t/*', (c) => tracking.fetch(c.req.raw))
  app.all('/u/*', (c) => tracking.fetch(c.req.raw))
  app.all('/robots.txt', (c) => tracking.fetch(c.req.raw))

  app.use(secure)
  app.use(afterCalls(services))
  app.use('/api/v1/*', authenticate(services))
  for (const routes of OWNERS) app.route('/api/v1', routes(services))
  app.route('/', feedbackRoutes(services))
  app.route('/', previewPage(services))
  app.route('/', webViewPage(services))
  app.route('/', preferencePages(services))
  app.route('/', reportLinkPage(services))
  app.route('/', signupFormPages(services))
  app.route('/', confirmPages(services))
  app.route('/', healthRoutes(services))
  app.route(
    '/',
    docsRoutes(() => openApiDocument(app, public_url), public_url),
  )
  return app
}
