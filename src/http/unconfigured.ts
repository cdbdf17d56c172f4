import { Problem, problemResponse } from './problem.ts'

/** What a Worker answers, whatever is asked, as long as its configuration has faults: it must not half work. */
export function answerUnconfigured(request: Request, faults: readonly string[]): Response {
  if (new URL(request.url).pathname === '/health') {
    const nothing_known = { database: 'unknown', redis: 'unknown', buffered_events: null }
    return Response.json(
      { status: 'failing', configuration: faults, ...nothing_known },
      { status: 503, headers: HEADERS },
    )
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
