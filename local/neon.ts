// Neon's HTTP endpoint over any Postgres: `POST /sql` takes one statement, or several as one transaction, and answers
// with Postgres' own text values, as Neon's driver (@neondatabase/serverless) speaks it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type ClientBase, DatabaseError, Pool, type QueryArrayConfig } from 'pg'

/** Neon refuses an answer over this many bytes with 507. Its limit on requests is not published; the same is assumed. */
const LIMIT = 64 * 1024 * 1024

/** Connections to one database. Neon's pooler has more, but a statement waits for a free one just the same. */
const CONNECTIONS = 10

export interface NeonEndpoint {
  /** `host:port`, as NEON_PROXY wants it. */
  host: string
  port: number
  stop(): Promise<void>
}

interface Statement {
  query: string
  params?: unknown[]
}

/** A refusal of our own, not of Postgres. */
class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** @param options.heard - called with the text of every statement, those of a transaction one by one */
export async function startNeon(
  options: { port?: number; heard?: (query: string) => void } = {},
): Promise<NeonEndpoint> {
  const pools = new Map<string, Pool>()
  const poolOf = (url: string) => {
    const known = pools.get(url)
    if (known) return known
    const pool = new Pool({ connectionString: url, max: CONNECTIONS, idleTimeoutMillis: 10_000, allowExitOnIdle: true })
    // An idle connection that Postgres closes (restart, dropped database) is replaced; without a listener it is fatal.
    pool.on('error', () => {})
    // One that is taken out at that moment says so itself, even between two statements.
    pool.on('connect', (client) => client.on('error', () => {}))
    pools.set(url, pool)
    return pool
  }

  const server = createServer((request, response) => {
    handle(request, poolOf, options.heard)
      .then((body) => answer(response, 200, body))
      .catch((error: unknown) => {
        if (error instanceof Refusal) return answer(response, error.status, error.message)
        if (error instanceof DatabaseError) return answer(response, 400, JSON.stringify(fieldsOf(error)))
        answer(response, 500, error instanceof Error ? error.message : String(error))
      })
  })
  // workerd keeps connections open and reports one that closes under its hands as a failed request.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    host: `127.0.0.1:${port}`,
    port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await Promise.all([...pools.values()].map((pool) => pool.end()))
    },
  }
}

async function handle(
  request: IncomingMessage,
  poolOf: (url: string) => Pool,
  heard: ((query: string) => void) | undefined,
): Promise<string> {
  if (request.url !== '/sql' || request.method !== 'POST') throw new Refusal(404, 'only POST /sql is served here')
  const url = request.headers['neon-connection-string']
  if (typeof url !== 'string') throw new Refusal(400, JSON.stringify({ message: 'no Neon-Connection-String header' }))
  const body: Statement | { queries: Statement[] } = JSON.parse(await read(request))
  if (heard) for (const { query } of 'queries' in body ? body.queries : [body]) heard(query)
  const client = await poolOf(url).connect()
  let broken = true
  let result: unknown
  try {
    result =
      'queries' in body
        ? { results: await transaction(client, body.queries, isolation(request)) }
        : await run(client, body)
    broken = false
  } catch (error) {
    // After an error that Postgres reported (and the rollback that followed) the connection is as good as before.
    broken = !(error instanceof DatabaseError) || error.severity === 'FATAL'
    throw error
  } finally {
    client.release(broken)
  }
  const text = JSON.stringify(result)
  if (Buffer.byteLength(text) > LIMIT) throw new Refusal(507, `response is too large (max is ${LIMIT} bytes)`)
  return text
}

async function transaction(client: ClientBase, statements: Statement[], mode: string): Promise<unknown[]> {
  await client.query(`begin${mode}`)
  try {
    const results = []
    for (const statement of statements) results.push(await run(client, statement))
    await client.query('commit')
    return results
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

const asText = () => (value: string) => value

async function run(client: ClientBase, { query, params = [] }: Statement) {
  // The extended protocol, which takes one statement only, as Neon's proxy does; values stay Postgres' text.
  const config: QueryArrayConfig & { queryMode: 'extended' } = {
    text: query,
    values: params.map(parameter),
    rowMode: 'array',
    queryMode: 'extended',
    types: { getTypeParser: asText },
  }
  const { fields, rows, rowCount, command } = await client.query(config)
  return { fields, rows, rowCount, command, rowAsArray: true }
}

/** Text for Postgres to read; the driver has already turned arrays, dates and bytes into it. */
function parameter(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const ISOLATION: Record<string, string> = {
  ReadUncommitted: 'read uncommitted',
  ReadCommitted: 'read committed',
  RepeatableRead: 'repeatable read',
  Serializable: 'serializable',
}

function isolation({ headers }: IncomingMessage): string {
  const level = ISOLATION[String(headers['neon-batch-isolation-level'])]
  return [
    level ? ` isolation level ${level}` : '',
    headers['neon-batch-read-only'] === 'true' ? ' read only' : '',
    headers['neon-batch-deferrable'] === 'true' ? ' deferrable' : '',
  ].join('')
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > LIMIT) throw new Refusal(413, `request is too large (max is ${LIMIT} bytes)`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Everything that Postgres says about an error, under the names the driver looks for. */
function fieldsOf(error: DatabaseError) {
  const { message, severity, code, detail, hint, position, internalPosition, internalQuery, where } = error
  const { schema, table, column, dataType, constraint, file, line, routine } = error
  return {
    ...{ message, severity, code, detail, hint, position, internalPosition, internalQuery, where },
    ...{ schema, table, column, dataType, constraint, file, line, routine },
  }
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': body.startsWith('{') ? 'application/json' : 'text/plain' })
  response.end(body)
}
