// From anything thrown to the problem document that the caller sees, and the log line that the owner sees.
import type { Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { sqlState } from '../db/retry.ts'
import { log } from '../log.ts'
import type { AppEnv } from './context.ts'
import { Problem, problemResponse } from './problem.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** The answer to whatever a route threw. Details of an unexpected error stay here: they may hold data or SQL. */
export function answerError(error: Error, c: Context<AppEnv>, public_url: string): Response {
  const { request_id } = c.var
  if (error instanceof Problem) return problemResponse(error, request_id, public_url)
  if (error instanceof HTTPException && error.status < 500) {
    return problemResponse(new Problem('malformed_request', 'The request cannot be read.'), request_id, public_url)
  }
  const unreachable = isDatabaseUnavailable(error)
  log('request_failed', {
    request_id,
    method: c.req.method,
    route: c.req.routePath,
    error: error.constructor.name,
    sql_state: sqlState(error) ?? null,
    // Where, without the message: drizzle writes the parameters of a statement into it, some of whose lines look like these.
    stack: (error.stack ?? '')
      .replace(error.message, '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 8)
      .join('\n'),
  })
  const problem = unreachable
    ? new Problem('database_unavailable', 'The database does not answer. Try again shortly.', {
        headers: { 'retry-after': '5' },
      })
    : new Problem('internal_error', `Something went wrong on our side. The log knows it as ${request_id}.`)
  return problemResponse(problem, request_id, public_url)
}

/** 405 with Allow where another method would be answered, else 404. */
export function answerUnknownPath(app: Hono<AppEnv>, c: Context<AppEnv>, public_url: string): Response {
  const { path, method } = c.req
  const allowed = METHODS.filter((other) =>
    app.router.match(other, path)[0].some(([[, route]]) => route.method === other),
  )
  const allow = allowed.join(', ')
  const problem =
    allowed.length > 0
      ? new Problem('method_not_allowed', `${path} answers ${allow}, not ${method}.`, { headers: { allow } })
      : new Problem('not_found', `Nothing answers at ${path}.`)
  return problemResponse(problem, c.var.request_id, public_url)
}

/** SQLSTATE of a database that cannot serve anyone: connection, login, catalogue, resources, shutdown (PostgreSQL, appendix A). */
const NOT_NOW = /^(?:08|28|3D|53|57P)/

function isDatabaseUnavailable(error: Error): boolean {
  const state = sqlState(error)
  if (state !== undefined) return NOT_NOW.test(state)
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (e.name === 'NeonDbError') return true
  }
  return false
}
