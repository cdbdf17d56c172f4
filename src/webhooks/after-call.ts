import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../http/context.ts'
import { dispatchSoon } from './dispatch.ts'
import type { WebhookServices } from './outgoing.ts'

/** Once a call that may have changed something was answered, what it made due is put on the queue. */
export function afterCalls(services: WebhookServices): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next()
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD' && c.res.status < 400) {
      c.executionCtx.waitUntil(dispatchSoon(services))
    }
  }
}
