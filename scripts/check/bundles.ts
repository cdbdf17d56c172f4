import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { outputLines, runTool } from './run-tool.ts'

/** What emk-tracking is made of, one file a line; `npm run check -- --update` rewrites it. */
export const TRACKING_INPUTS = 'workers/tracking.inputs.txt'

/** emk-tracking answers readers at the edge: it must start in no time. */
const TRACKING_GZIP_BYTES = 60_000

/** What may not be in a bundle: a pattern over input files, and why. */
const FORBIDDEN: Record<string, { pattern: RegExp; why: string }[]> = {
  'emk-api': [
    {
      // Which account may send, and what a server's words mean, is judged here too: nothing of that connects or signs in.
      pattern:
        /^src\/providers\/(?!(?:provider|account|candidates|warm-up|answer|retry_after|smtp\/outcome|smtp\/wording|smtp\/reply)\.ts$)/,
      why: 'emk-api holds no code that sends; it asks emk-sender by service binding',
    },
    { pattern: /^node_modules\/(@sendgrid|aws4fetch|worker-mailer)\//, why: 'emk-api sends nothing itself' },
  ],
  'emk-sender': [
    {
      pattern: /^node_modules\/(mjml-browser|cheerio)\//,
      why: 'MJML is compiled when a template is saved, in emk-api',
    },
  ],
  'emk-tracking': [
    {
      pattern: /^node_modules\/(drizzle-orm|@neondatabase|zod|hono|mjml-browser|handlebars|@sendgrid|aws4fetch)\//,
      why: 'emk-tracking holds no SQL driver, framework, template engine or provider',
    },
  ],
}

const WORKERS = [
  { name: 'emk-api', file: 'wrangler.toml' },
  { name: 'emk-sender', file: 'wrangler.sender.toml' },
  { name: 'emk-tracking', file: 'wrangler.tracking.toml' },
] as const

export interface Bundle {
  /** Files whose code is in the bundle, from the repository's root; packages start with `node_modules/`. */
  inputs: string[]
  bytes: number
  gzip_bytes: number
}

/** Builds what `wrangler deploy` would upload for one wrangler file. @throws with wrangler's words when it cannot. */
export async function buildBundle(root: string, file: string): Promise<Bundle> {
  mkdirSync(join(root, '.local'), { recursive: true })
  const out = mkdtempSync(join(root, '.local', 'check-bundle-'))
  try {
    const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
    const meta = join(out, 'meta.json')
    const run = await runTool(root, wrangler, ['deploy', '--dry-run', '-c', file, '--outdir', out, '--metafile', meta])
    if (run.status !== 0) throw new Error(outputLines(run.output).slice(0, 6).join('\n'))
    const code = readdirSync(out).filter((name) => /\.(m?js|wasm)$/.test(name))
    const { outputs }: { outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> } = JSON.parse(
      readFileSync(meta, 'utf8'),
    )
    const inputs = Object.values(outputs).flatMap((output) =>
      Object.entries(output.inputs)
        .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
        .map(([path]) => inputName(path)),
    )
    const contents = code.map((name) => readFileSync(join(out, name)))
    return {
      inputs: [...new Set(inputs)].sort(),
      bytes: contents.reduce((sum, content) => sum + content.length, 0),
      gzip_bytes: gzipSync(Buffer.concat(contents)).length,
    }
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

/** One spelling on every computer: wrangler's own shims lie in a temporary folder, packages may be linked elsewhere. */
function inputName(path: string): string {
  const slashed = path.replaceAll('\\', '/')
  const packages = slashed.lastIndexOf('node_modules/')
  if (packages >= 0) return slashed.slice(packages)
  const shim = /(?:^|\/)(?:\.wrangler\/)?tmp\/[^/]+\/(.+)$/.exec(slashed)
  return shim === null ? slashed.replace(/^(\.\.\/)+/, '') : `wrangler: ${shim[1]}`
}

export interface BundleReport {
  problems: string[]
  /** One line per Worker, for a person. */
  sizes: string[]
}

/** What each Worker's bundle holds and weighs. With `update`, the committed list of emk-tracking's files is rewritten. */
export async function checkBundles(root: string, update: boolean): Promise<BundleReport> {
  const report: BundleReport = { problems: [], sizes: [] }
  for (const { name, file } of WORKERS) {
    try {
      const bundle = await buildBundle(root, file)
      report.sizes.push(`${name} ${kilobytes(bundle.bytes)}, gzip ${kilobytes(bundle.gzip_bytes)}`)
      report.problems.push(...forbiddenInputs(name, bundle))
      if (name === 'emk-tracking') report.problems.push(...trackingProblems(root, bundle, update))
    } catch (error) {
      report.problems.push(`${name} does not build: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return report
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}

function forbiddenInputs(name: string, bundle: Bundle): string[] {
  return (FORBIDDEN[name] ?? []).flatMap(({ pattern, why }) => {
    const inside = bundle.inputs.filter((input) => pattern.test(input))
    if (inside.length === 0) return []
    return [`${name} holds ${inside[0]}${inside.length > 1 ? ` and ${inside.length - 1} more` : ''}: ${why}`]
  })
}

function trackingProblems(root: string, bundle: Bundle, update: boolean): string[] {
  const problems: string[] = []
  if (bundle.gzip_bytes > TRACKING_GZIP_BYTES) {
    problems.push(`emk-tracking is ${kilobytes(bundle.gzip_bytes)} gzip, over ${kilobytes(TRACKING_GZIP_BYTES)}`)
  }
  const path = join(root, TRACKING_INPUTS)
  if (update) writeFileSync(path, `${bundle.inputs.join('\n')}\n`)
  const listed = existsSync(path) ? readFileSync(path, 'utf8').split(/\r?\n/).filter(Boolean) : []
  const added = bundle.inputs.filter((input) => !listed.includes(input))
  const gone = listed.filter((input) => !bundle.inputs.includes(input))
  if (added.length > 0) problems.push(`emk-tracking now holds ${added.join(', ')}, not in ${TRACKING_INPUTS}`)
  if (gone.length > 0) problems.push(`emk-tracking no longer holds ${gone.join(', ')}, listed in ${TRACKING_INPUTS}`)
  return problems
}
