// The inbox in a browser, and as JSON for programs.
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { simpleParser } from 'mailparser'
import type { Mailbox } from './mailbox.ts'

const MOST = 1000

/**
 * A mail's HTML is shown in a sandboxed frame that inherits this: no script of its own, and images from this computer
 * only, so that looking at a mail contacts nobody outside but does load the local tracking pixel, as a reader would.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  'img-src data: http://127.0.0.1:* http://localhost:*',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const FILES: Record<string, [file: string, type: string]> = {
  '/': ['page.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
}

export async function startHttp(mailbox: Mailbox, port: number): Promise<{ port: number; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    handle(mailbox, request, response).catch((error: unknown) => {
      json(response, 500, { error: error instanceof Error ? error.message : String(error) })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

async function handle(mailbox: Mailbox, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A web page elsewhere may not read these mails by pointing a name of its own at this computer.
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? '')) {
    return json(response, 403, { error: 'the inbox answers under localhost only' })
  }
  const url = new URL(request.url ?? '/', 'http://localhost')
  const file = FILES[url.pathname]
  if (file && request.method === 'GET') {
    const body = await readFile(new URL(file[0], import.meta.url))
    return send(response, 200, file[1], body)
  }
  if (url.pathname === '/api/messages') {
    if (request.method === 'DELETE') {
      mailbox.clear()
      return send(response, 204, 'text/plain', '')
    }
    if (request.method === 'GET') return list(mailbox, url.searchParams, response)
  }
  if (url.pathname === '/api/summary' && request.method === 'GET') {
    return json(response, 200, { messages: mailbox.size, unique_recipients: mailbox.unique_recipients })
  }
  const [, digits, part] = /^\/api\/messages\/(\d+)(\/raw)?$/.exec(url.pathname) ?? []
  const summary = digits && request.method === 'GET' ? mailbox.get(Number(digits)) : undefined
  if (!summary) return json(response, 404, { error: 'there is nothing here' })
  const raw = await mailbox.raw(summary.id)
  if (part) return send(response, 200, 'text/plain; charset=utf-8', raw)
  const mail = await simpleParser(raw, { skipImageLinks: true, skipTextToHtml: true, skipHtmlToText: true })
  json(response, 200, {
    ...summary,
    headers: mail.headerLines.map(({ line }) => {
      const [, name = '', value = ''] = /^([^:]+):([\s\S]*)$/.exec(line.replace(/\r?\n(?=[ \t])/g, '')) ?? []
      return { name, value: value.trim() }
    }),
    html: mail.html || null,
    text: mail.text ?? null,
    attachments: mail.attachments.map(({ filename, contentType, size }) => ({
      filename: filename ?? null,
      content_type: contentType,
      size,
    })),
  })
}

function list(mailbox: Mailbox, params: URLSearchParams, response: ServerResponse): void {
  const number = (name: string, otherwise: number | undefined) => {
    const text = params.get(name)
    if (text === null) return otherwise
    return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  }
  const limit = number('limit', 100)
  const after = number('after', undefined)
  if (Number.isNaN(limit) || Number.isNaN(after)) {
    json(response, 400, { error: 'limit and after are numbers' })
    return
  }
  const to = params.get('to')
  const query = params.get('query')
  const page = mailbox.find({
    limit: Math.min(limit ?? 100, MOST),
    ...(to ? { to } : {}),
    ...(query ? { query } : {}),
    ...(after === undefined ? {} : { after }),
  })
  json(response, 200, page)
}

function json(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, 'application/json', JSON.stringify(body))
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  })
  response.end(body)
}
