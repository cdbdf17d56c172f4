// The API reference as one page, made on the server from the OpenAPI document: nothing is loaded from elsewhere.
import { html, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { exampleOf, fieldsOf, type JsonSchema, type Schemas, typeOf } from './json-schema.ts'
import { prose } from './prose.ts'

type Html = HtmlEscapedString | Promise<HtmlEscapedString> | ''

/** What the page reads of an OpenAPI 3.1 document. */
export interface Reference {
  info: { title: string; version: string; description?: string }
  servers?: { url: string }[]
  paths?: Record<string, Record<string, Operation>>
  components?: { schemas?: Schemas }
}

interface Operation {
  operationId?: string
  tags?: string[]
  summary?: string
  description?: string
  security?: unknown[]
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: JsonSchema }[]
  requestBody?: { content: Record<string, { schema?: JsonSchema }> }
  responses?: Record<string, { description: string; content?: Record<string, { schema?: JsonSchema }> }>
}

interface Entry {
  method: string
  path: string
  id: string
  operation: Operation
}

/** @param origin - what stands before each path in the examples, without a slash at the end */
export function referencePage(document: Reference, origin: string): Html {
  const schemas = document.components?.schemas ?? {}
  const groups = groupByTag(document)
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${document.info.title}: API</title>
<link rel="stylesheet" href="/docs/docs.css">
<script src="/docs/docs.js" defer></script>
</head>
<body class="reference">
<a class="skip" href="#top">Skip to the reference</a>
<nav aria-label="Operations">
<p class="brand"><a href="/">${document.info.title}</a></p>
<label class="field">Find <input id="find" type="search" placeholder="path or word" autocomplete="off"></label>
<label class="field">API key <input id="key" type="password" placeholder="emk_..." autocomplete="off" spellcheck="false"></label>
${[...groups].map(
  ([tag, entries]) =>
    html`<section><h2>${tag}</h2><ul>${entries.map(
      ({ id, method, operation }) =>
        html`<li><a href="#${id}">${badge(method)} <span>${operation.summary ?? id}</span></a></li>`,
    )}</ul></section>`,
)}
</nav>
<main id="top">
<header><h1>${document.info.title} API</h1>${prose(document.info.description ?? '')}
<p><a href="/openapi.json">openapi.json</a> (OpenAPI 3.1) · <a href="/problems">All error codes</a></p></header>
${[...groups].map(
  ([tag, entries]) =>
    html`<section class="tag"><h2>${tag}</h2>${entries.map((entry) => article(entry, schemas, origin))}</section>`,
)}
</main>
</body>
</html>`
}

function groupByTag({ paths = {} }: Reference): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>()
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? 'Other'
      const entry = { method, path, id: operation.operationId ?? `${method}${path}`.replace(/\W+/g, '_'), operation }
      groups.set(tag, [...(groups.get(tag) ?? []), entry])
    }
  }
  // What a collection does stands before what its members and files do; otherwise as declared.
  for (const [tag, entries] of groups)
    groups.set(
      tag,
      entries.toSorted((a, b) => depth(a) - depth(b)),
    )
  return groups
}

const depth = ({ path }: Entry) => path.split('/').length

const badge = (method: string) => html`<b class="method ${method}">${method.toUpperCase()}</b>`

function article({ method, path, id, operation }: Entry, schemas: Schemas, origin: string): Html {
  const { summary = '', description = '', parameters = [], requestBody, responses = {}, security } = operation
  const schema = requestBody?.content['application/json']?.schema
  const sample = schema ? JSON.stringify(exampleOf(schema, schemas), null, 2) : ''
  return html`<article id="${id}">
<h3><a href="#${id}">${summary}</a></h3>
<p class="path">${badge(method)} <code>${path}</code></p>
${prose(description)}
${parameters.length > 0 ? parameterTable(parameters, schemas) : ''}
${schema ? html`<h4>Body</h4>${fieldTable(schema, schemas)}` : ''}
<h4>Example</h4>
<pre><code>${curl(method, origin + path, sample, Boolean(security))}</code></pre>
<h4>Answers</h4>
${Object.entries(responses).map(([status, { description: meaning, content = {} }]) => {
  const answer = Object.values(content)[0]?.schema
  const title = html`<b>${status}</b> ${meaning}`
  if (!answer || /X/.test(status)) return html`<p class="answer">${title}</p>`
  return html`<details><summary>${title}</summary>${fieldTable(answer, schemas)}</details>`
})}
<details class="try"><summary>Try it</summary>
<form data-method="${method.toUpperCase()}" data-path="${path}">
${parameters.map(
  ({ name, in: where, required }) =>
    html`<label class="field">${name} <input name="${name}" data-in="${where}"${required ? raw(' required') : ''}></label>`,
)}
${schema ? html`<label class="field">Body <textarea name="body" rows="${Math.min(16, sample.split('\n').length + 1)}" spellcheck="false">${sample}</textarea></label>` : ''}
<button>Send</button> <output></output>
</form></details>
</article>`
}

function parameterTable(parameters: NonNullable<Operation['parameters']>, schemas: Schemas): Html {
  const fields = parameters.map(({ name, in: where, required = false, description = '', schema = {} }) => {
    const [field] = fieldsOf({ properties: { [name]: schema } }, schemas)
    return {
      path: name,
      type: `${typeOf(schema, schemas)} in ${where}`,
      is_required: required,
      description,
      limits: field?.limits ?? '',
    }
  })
  return html`<h4>Parameters</h4>${table(fields)}`
}

function fieldTable(schema: JsonSchema, schemas: Schemas): Html {
  const fields = fieldsOf(schema, schemas)
  return fields.length > 0 ? table(fields) : html`<p class="answer">${typeOf(schema, schemas)}</p>`
}

const table = (fields: ReturnType<typeof fieldsOf>): Html =>
  html`<div class="scroll"><table><tbody>${fields.map(
    ({ path, type, is_required, description, limits }) =>
      html`<tr><th scope="row"><code>${path}</code>${is_required ? html` <span class="needed">required</span>` : ''}</th>
<td><span class="type">${type}</span>${limits ? html` <span class="limits">${limits}</span>` : ''}${prose(description)}</td></tr>`,
  )}</tbody></table></div>`

function curl(method: string, url: string, body: string, needs_key: boolean): string {
  const lines = [`curl ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}'${url}'`]
  if (needs_key) lines.push(`-H "Authorization: Bearer $API_KEY"`)
  if (body) lines.push(`-H 'Content-Type: application/json'`, `-d '${body.replaceAll("'", "'\\''")}'`)
  return lines.join(' \\\n  ')
}
