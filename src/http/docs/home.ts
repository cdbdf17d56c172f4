import { html } from 'hono/html'
import { PROBLEMS } from '../problem.ts'

const frame = (title: string, body: ReturnType<typeof html>) => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/docs/docs.css">
</head>
<body>
<main>${body}</main>
</body>
</html>`

/** What `/` shows: where to go on. */
export const homePage = () =>
  frame(
    'Email Marketing Kit',
    html`<h1>Email Marketing Kit</h1>
<p>This Worker is running.</p>
<ul>
<li><a href="/docs">API reference</a>: every call, with examples</li>
<li><a href="/openapi.json">openapi.json</a>: the same for programs</li>
<li><a href="/problems">Error codes</a></li>
<li><a href="/health">Health</a>: whether database, Redis and cron are well</li>
</ul>
<p>How to begin is told in <code>README.md</code> of the repository this Worker was deployed from.</p>`,
  )

/** What the `type` of a problem document leads to. */
export const problemsPage = () =>
  frame(
    'Error codes',
    html`<p><a href="/">Email Marketing Kit</a></p>
<h1>Error codes</h1>
<p>Every error is a document of type <code>application/problem+json</code> (RFC 9457). Programs go by <code>code</code>.</p>
<div class="scroll"><table><tbody>${Object.entries(PROBLEMS).map(
      ([code, [status, title]]) =>
        html`<tr id="${code}"><th scope="row"><code>${code}</code></th><td>${status} ${title}</td></tr>`,
    )}</tbody></table></div>`,
  )
