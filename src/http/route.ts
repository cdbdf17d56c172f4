import { createRoute, OpenAPIHono, type RouteConfig } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { requireScope } from '../auth/authenticate.ts'
import type { Scope } from '../auth/scopes.ts'
import { BODY_LIMIT, jsonBody, noBody, optionalJsonBody, streamBody } from './body.ts'
import type { AppEnv } from './context.ts'
import { idempotent, refuseIdempotencyKey } from './idempotency.ts'
import { plainQuery } from './query.ts'
import { problemDocument } from './schema.ts'
import { validationProblem } from './validation.ts'

/** A router for one owner's routes. */
export const createRouter = () =>
  new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (!result.success) throw validationProblem(result.error, result.target)
    },
  })

interface Access {
  scope: Scope
  /** Bytes of the JSON body. */
  body_limit?: number
  /**
   * What becomes of an Idempotency-Key on an unsafe method: the answer is `kept` (default), the key is `refused` because
   * the answer holds a secret or the body is not held, or `needless` because the call changes nothing.
   */
  idempotency?: 'kept' | 'refused' | 'needless'
  /** The body is a file of this content type, which the route itself reads as it arrives. */
  streamed?: string
  /** Query fields that may be given several times. */
  repeatable?: readonly string[]
}

/**
 * Describes one route: what createRoute of @hono/zod-openapi takes, plus who may call it. Adds authentication, the
 * reading of the body, Idempotency-Key for unsafe methods, and the problem document as every other answer.
 */
export function operation<P extends string, R extends Omit<RouteConfig, 'path'> & { path: P }>(
  access: Access,
  config: R,
) {
  const middleware: MiddlewareHandler<AppEnv>[] = [
    requireScope(access.scope),
    plainQuery(config.request?.query !== undefined, access.repeatable),
  ]
  const limit = access.body_limit ?? BODY_LIMIT
  if (access.streamed) middleware.push(streamBody(access.streamed))
  else if (config.request?.body)
    middleware.push(config.request.body.required ? jsonBody(limit) : optionalJsonBody(limit))
  else if (config.method !== 'get') middleware.push(noBody)
  const { idempotency = 'kept' } = access
  if (config.method !== 'get' && idempotency === 'kept') middleware.push(idempotent)
  if (idempotency === 'refused') middleware.push(refuseIdempotencyKey(access.streamed !== undefined))
  const problems = { content: { 'application/problem+json': { schema: problemDocument } } }
  return createRoute({
    ...config,
    operationId: `${config.method}${config.path}`.replace(/\W+/g, '_').replace(/_$/, ''),
    description: [config.description, `Scope: \`${access.scope}\`.`].filter(Boolean).join('\n\n'),
    security: [{ api_key: [] }],
    middleware,
    responses: {
      ...config.responses,
      '4XX': { description: 'Refused; nothing was changed', ...problems },
      '5XX': { description: 'Failed on our side', ...problems },
    },
  })
}
