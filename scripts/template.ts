// `npm run template`: template files into an installation, and looked at without saving. `--help` lists the options.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { type Api, openApi } from './import/api.ts'
import { ImportError } from './import/error.ts'
import { findInstallation } from './installation.ts'

const HELP = `npm run template -- push FILE.mjml [--name NAME]
npm run template -- preview FILE.mjml [--data FILE.json] [--out FILE.html]

  push      saves the file as a template: a new one, or a new version of the one that has this name already
  preview   renders the file with sample data, without saving it

  --name NAME        default: the file's name
  --data FILE.json   { "subject", "preheader", "data" }; default: the file beside it that ends in .json, if there is one
  --out FILE.html    where the preview goes; default: preview.html
  --api URL --key KEY  the installation and an API key with the scopes read and write
                     (or EMK_API_URL and EMK_API_KEY; the running local stack when left out)

A file that ends in .mjml is MJML, any other HTML. Both may hold Handlebars.
`

interface Template {
  id: number
  name: string
  version: number
  warnings: { detail: string; line?: number }[]
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    name: { type: 'string' },
    data: { type: 'string' },
    out: { type: 'string', default: 'preview.html' },
    api: { type: 'string', default: process.env.EMK_API_URL },
    key: { type: 'string', default: process.env.EMK_API_KEY },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

try {
  const [action, file, ...more] = positionals
  if ((action !== 'push' && action !== 'preview') || file === undefined || more.length > 0) {
    throw new ImportError('say push or preview, and one file (see --help)')
  }
  const { api_url, api_key } = await findInstallation(values.api, values.key)
  const api = openApi(api_url, api_key)
  await (action === 'push' ? push(api, file) : preview(api, file))
} catch (error) {
  if (!(error instanceof ImportError || (error instanceof Error && 'code' in error))) throw error
  console.error(`template: ${error.message}`)
  process.exitCode = 1
}

async function push(api: Api, file: string): Promise<void> {
  const name = values.name ?? basename(file).replace(/\.\w+$/, '')
  const known = await findByName(api, name)
  const saved = await (known
    ? api.patch<Template>(`/templates/${known.id}`, { ...sourceOf(file), version: known.version })
    : api.post<Template>('/templates', { name, ...sourceOf(file) }))
  warn(saved)
  console.log(`template ${saved.id} "${saved.name}", version ${saved.version}`)
}

async function preview(api: Api, file: string): Promise<void> {
  const beside = file.replace(/\.\w+$/, '.json')
  const data = values.data ?? (existsSync(beside) ? beside : undefined)
  const sample = data === undefined ? {} : JSON.parse(readFileSync(data, 'utf8'))
  const mail = await api.post<Template & { subject: string; html: string }>('/templates/preview', {
    ...sourceOf(file),
    ...sample,
  })
  warn(mail)
  writeFileSync(values.out, mail.html)
  console.log(`"${mail.subject}" in ${values.out}`)
}

function sourceOf(file: string) {
  return { format: file.endsWith('.mjml') ? 'mjml' : 'html', source: readFileSync(file, 'utf8') }
}

async function findByName(api: Api, name: string): Promise<Template | undefined> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: { data: Template[]; next_cursor: string | null } = await api.get(
      `/templates?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    )
    const found = page.data.find((template) => template.name === name)
    if (found) return found
    cursor = page.next_cursor
  }
  return undefined
}

function warn({ warnings }: Template): void {
  for (const { detail, line } of warnings) console.error(`${line === undefined ? '' : `line ${line}: `}${detail}`)
}
