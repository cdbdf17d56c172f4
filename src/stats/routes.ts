import { createRouter, operation } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import { howFarBehind } from './buffered.ts'
import { statsOverview } from './overview.ts'
import { overview } from './schema.ts'

const read = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/stats/overview',
    tags: ['Statistics'],
    summary: 'The last 30 days of all campaigns',
    description:
      'By day, in UTC. What readers did counts on the day it happened; what was sent, and its bounces and complaints, on the day its campaign started.',
    responses: { 200: { description: 'Days and totals', content: { 'application/json': { schema: overview } } } },
  },
)

export function statsRoutes(services: Services) {
  const router = createRouter()
  router.openapi(read, async (c) => {
    const [numbers, behind] = await Promise.all([statsOverview(services.db, services.now()), howFarBehind(services)])
    return c.json({ ...numbers, ...behind }, 200)
  })
  return router
}
