import type { Health } from './health.ts'
import { Problem, problemResponse } from './problem.ts'

/** What a Worker answers, whatever is asked, as long as its configuration has faults: it must not half work. */
export function answerUnconfigured(request: Request, faults: readonly string[]): Response {
  if (new URL(request.url).pathname === '/health') {
    const health: Health = {
      status: 'failing',
      problems: ['the configuration is not complete'],
      configuration: [...faults],
      ...{ database: 'unknown', redis: 'unknown', cron: 'unknown', database_asked_at: null, last_cron_at: null },
      ...{ buffered_events: null, buffered_seconds: null, quarantined_events: null, open_batches: null },
    }
    return Response.json(health, { status: 503, headers: HEADERS })
  }
  const errors = faults.map((fault) => {
    const field = /^[A-Z_]+/.exec(fault)?.[0] ?? 'configuration'
    return { field, detail: fault.slice(field.length).replace(/^[,: ]+/, '') }
  })
  const problem = new Problem('not_configured', `${faults.join('; ')}. Set it and deploy again.`, {
    errors,
    headers: HEADERS,
  })
  return problemResponse(problem, crypto.randomUUID(), '')
}

const HEADERS = { 'cache-control': 'no-store' }
