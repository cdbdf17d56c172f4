// `npm run import`: a CSV file into a list. `--help` lists the options.
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { ENCODINGS, IMPORT_POLICIES } from '../src/imports/options.ts'
import type { ExportFormat } from '../src/imports/state.ts'
import { IMPORT_KINDS } from '../src/imports/status.ts'
import { ImportError } from './import/error.ts'
import { importFile, type Summary } from './import-file.ts'
import { findInstallation } from './installation.ts'

const HELP = `npm run import -- FILE.csv --list NAME [options]

  --list NAME            subscribe everyone in the file to this list; it is made when it is missing
  --api URL --key KEY    the installation and an API key with the scopes read and write
                         (or EMK_API_URL and EMK_API_KEY; the running local stack when left out)
  --dry-run              read and judge every row, write none, and show what would be written
  --policy POLICY        what may change of people who are there already: skip (nothing but opt-outs), fill (what is empty;
                         this is the default) or overwrite (whatever the file has a value for)
  --map COLUMN=FIELD     what a column is: email, name, first_name, last_name, status, unsubscribed, bounced, complained,
                         tags, timezone, locale, consented_at, consent_source, list_ids, attributes, attributes.<name>,
                         or - to leave it out. #3=FIELD is the third column. May be given many times
  --consent-source TEXT  how these people agreed, for rows that do not say
  --tag TAG              given to everyone in the file. May be given many times
  --encoding NAME        utf-8, utf-16le, utf-16be or windows-1252; found out when left out
  --delimiter NAME       comma, semicolon or tab; found out when left out
  --kind suppressions    the file names addresses, domains or hashes that must never be mailed; without --list

The first line names the columns. Exports of Mailchimp, listmonk, Brevo and SendGrid are recognised; columns of other names
become attributes. Whoever opted out, bounced, complained or was deleted stays so. Refused rows are written to
rejected-FILE.csv with line and reason. An import that was interrupted goes on where it was when it is started again with
the same options. docs/import.md tells more.
`

const FORMATS: Record<ExportFormat, string> = {
  kit: 'an export of this kit',
  mailchimp: 'an export of Mailchimp',
  listmonk: 'an export of listmonk',
  brevo: 'an export of Brevo',
  sendgrid: 'an export of SendGrid',
  generic: 'a CSV file',
}
/** Columns that are printed. */
const SHOWN = 60
/** In characters. */
const LONGEST_LINE = 500

const { values, positionals } = parse({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    list: { type: 'string' },
    api: { type: 'string', default: process.env.EMK_API_URL },
    key: { type: 'string', default: process.env.EMK_API_KEY },
    'dry-run': { type: 'boolean', default: false },
    policy: { type: 'string' },
    map: { type: 'string', multiple: true, default: [] },
    'consent-source': { type: 'string' },
    tag: { type: 'string', multiple: true, default: [] },
    encoding: { type: 'string' },
    delimiter: { type: 'string' },
    kind: { type: 'string', default: 'subscribers' },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

try {
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw new ImportError('name one file (see --help)')
  const kind = oneOf('--kind', IMPORT_KINDS, values.kind)
  if (kind === 'subscribers' && !values.list) throw new ImportError('--list says which list they are subscribed to')
  if (kind === 'suppressions' && values.list) throw new ImportError('suppressions are on no list: leave --list out')
  const { tag: tags, list, 'dry-run': dry_run, 'consent-source': consent_source } = values
  const options = {
    file,
    list,
    kind,
    policy: oneOf('--policy', IMPORT_POLICIES, values.policy),
    dry_run,
    map: Object.fromEntries(values.map.map(pair)),
    tags,
    consent_source,
    encoding: oneOf('--encoding', ENCODINGS, values.encoding),
    delimiter: oneOf('--delimiter', ['comma', 'semicolon', 'tab'], values.delimiter),
  }
  const installation = await findInstallation(values.api, values.key)
  const started = Date.now()
  const onProgress = process.stderr.isTTY ? drawBar : printTenths()
  const onWait = () => console.error('waiting for a part that was sent before: up to a minute')
  const summary = await importFile({ ...options, ...installation, onProgress, onWait })
  if (process.stderr.isTTY) process.stderr.write('\n')
  report(summary, { list, dry_run }, Math.max((Date.now() - started) / 1_000, 0.001))
  if (summary.rows > 0 && summary.refused === summary.rows) process.exitCode = 1
} catch (error) {
  if (!(error instanceof ImportError)) throw error
  console.error(`import: ${error.message}`)
  process.exitCode = 1
}

function report(summary: Summary, { list, dry_run }: { list: string | undefined; dry_run: boolean }, seconds: number) {
  const { rows, created, updated, unchanged, skipped, refused, kept, resumed_after, rejected_file } = summary
  const { format, encoding, delimiter, columns, sample, list_id } = summary
  if (resumed_after > 0) console.log(`went on after row ${resumed_after} of an interrupted import`)
  console.log(`${FORMATS[format ?? 'generic']}: ${encoding}, ${delimiter}`)
  for (const { column, field } of columns?.slice(0, SHOWN) ?? []) {
    console.log(`  ${printable(column)} -> ${field ?? 'left out'}`)
  }
  if (columns && columns.length > SHOWN) console.log(`  and ${columns.length - SHOWN} more columns`)
  if (dry_run) {
    for (const row of sample ?? []) console.log(`  ${printable(JSON.stringify(withValues(row)))}`)
    if (list_id === null && list) console.log(`there is no list "${printable(list)}": an import would make it`)
    console.log('nothing was written; this is what an import would do:')
  }
  const left = skipped > 0 ? `${skipped} skipped, ` : ''
  console.log(`${rows} rows: ${created} created, ${updated} updated, ${unchanged} unchanged, ${left}${refused} refused`)
  if (kept > 0) console.log(`${kept} people who had opted out, bounced or complained stay so`)
  if (rejected_file) console.log(`refused rows: ${rejected_file}`)
  console.log(`${seconds.toFixed(1)} s, ${Math.round((rows - resumed_after) / seconds)} rows a second`)
}

/** An option that nobody knows is the user's slip: it gets a sentence. */
function parse<const Config extends ParseArgsConfig>(config: Config) {
  try {
    return parseArgs(config)
  } catch (error) {
    console.error(`import: ${error instanceof Error ? error.message : error} (see --help)`)
    process.exit(1)
  }
}

/** A row as it would be written, who it is first; what it says nothing of is left out. */
function withValues({ line, outcome, email, status, ...rest }: Record<string, unknown>) {
  const said = Object.entries(rest).filter(
    ([, value]) => value !== null && !(Array.isArray(value) && value.length === 0),
  )
  return { line, outcome, email, status, ...Object.fromEntries(said) }
}

/** Of a file that may hold anything: what cannot upset a terminal. */
function printable(text: string) {
  const short = text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}…` : text
  return short.replace(/[\p{Cc}\p{Cf}]/gu, '?')
}

function oneOf<Name extends string>(option: string, names: readonly Name[], value: string): Name
function oneOf<Name extends string>(option: string, names: readonly Name[], value: string | undefined): Name | undefined
function oneOf<Name extends string>(option: string, names: readonly Name[], value: string | undefined) {
  const name = names.find((one) => one === value)
  if (value !== undefined && !name) throw new ImportError(`${option} must be ${names.join(', ')}`)
  return name
}

function pair(text: string): [string, string] {
  const at = text.lastIndexOf('=')
  if (at < 1) throw new ImportError(`--map "${text}" must be COLUMN=FIELD`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function drawBar(rows: number, bytes: number, total_bytes: number) {
  const share = total_bytes === 0 ? 1 : bytes / total_bytes
  const full = Math.round(share * 30)
  const percent = String(Math.floor(share * 100)).padStart(3)
  process.stderr.write(`\r${'█'.repeat(full)}${'░'.repeat(30 - full)} ${percent} %  ${rows} rows `)
}

function printTenths() {
  let said = 0
  return (rows: number, bytes: number, total_bytes: number) => {
    const tenth = total_bytes === 0 ? 10 : Math.floor((bytes / total_bytes) * 10)
    if (tenth === said) return
    said = tenth
    console.error(`${tenth * 10} % (${rows} rows)`)
  }
}
