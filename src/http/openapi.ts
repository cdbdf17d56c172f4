import type { OpenAPIHono } from '@hono/zod-openapi'
import type { AppEnv } from './context.ts'
import type { Reference } from './docs/page.ts'

const INTRODUCTION = `Every call carries \`Authorization: Bearer emk_...\`. A key has scopes: \`read\`, \`write\` (change data), \`send\`
(start, schedule and stop sending), \`admin\` (keys, webhooks, lifting suppressions).

- **Errors** are \`application/problem+json\` (RFC 9457) with a stable \`code\`, a \`request_id\` and, where fields are at
  fault, \`errors: [{ field, detail }]\`. Unknown fields are refused.
- **Lists** are pages: \`{ data, next_cursor }\`. Pass \`next_cursor\` as \`cursor\` with the same filters.
- **Repeats**: an \`Idempotency-Key\` on POST, PUT, PATCH and DELETE makes a call safe to repeat for 24 hours.
- **Times** are ISO 8601 in UTC, ids are numbers.`

/** OpenAPI 3.1, from the very schemas that requests are checked with. */
export function openApiDocument(app: OpenAPIHono<AppEnv>, public_url: string): Reference {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Email Marketing Kit', version: '1', description: INTRODUCTION },
    servers: [{ url: public_url || '/' }],
  })
  document.components = {
    ...document.components,
    securitySchemes: { api_key: { type: 'http', scheme: 'bearer', description: 'An API key: emk_...' } },
  }
  // As it goes over the wire: without the fields that are undefined.
  return JSON.parse(JSON.stringify(document), (key, value) => (key === 'pattern' ? plainPattern(value) : value))
}

/** zod-to-openapi writes a flagged expression as `source/flags`; a JSON schema's pattern is Unicode and has no flags. */
function plainPattern(pattern: unknown): unknown {
  const flags = typeof pattern === 'string' ? /\/([dgimsuvy]+)$/.exec(pattern) : null
  if (typeof pattern !== 'string' || !flags) return pattern
  return flags[1] === 'u' ? pattern.slice(0, flags.index) : undefined
}
