// `npm run import`: a CSV file into a list. `--help` lists the options.
import { parseArgs } from 'node:util'
import { ImportError } from './import/columns.ts'
import { importFile } from './import-file.ts'
import { findInstallation } from './installation.ts'

const HELP = `npm run import -- FILE.csv --list NAME [options]

  --list NAME            subscribe everyone in the file to this list; it is made when it is missing
  --api URL --key KEY    the installation and an API key with the scopes read and write
                         (or EMK_API_URL and EMK_API_KEY; the running local stack when left out)
  --map COLUMN=FIELD     what a column is: email, first_name, last_name, status, consented_at, consent_source,
                         timezone, locale, attributes.<key>, or - to leave it out. May be given many times
  --consent-source TEXT  how these people agreed, for rows that do not say
  --chunk N              rows of one call, 1 to 1000 (default 500)

The first line names the columns; comma, semicolon and tab are recognised. Columns of other names become attributes:
true, false, numbers and JSON arrays as such, everything else as text. Whoever opted out, bounced, complained or was
deleted stays so. Refused rows are written to rejected-FILE.csv with line and reason. An import that was interrupted
goes on where it was when it is started again with the same options.
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    list: { type: 'string' },
    api: { type: 'string', default: process.env.EMK_API_URL },
    key: { type: 'string', default: process.env.EMK_API_KEY },
    map: { type: 'string', multiple: true, default: [] },
    'consent-source': { type: 'string' },
    chunk: { type: 'string', default: '500' },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

try {
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw new ImportError('name one file (see --help)')
  if (!values.list) throw new ImportError('--list says which list they are subscribed to')
  const chunk = Number(values.chunk)
  if (!Number.isInteger(chunk) || chunk < 1 || chunk > 1_000) throw new ImportError('--chunk must be 1 to 1000')
  const consent_source = values['consent-source']
  const started = Date.now()
  const summary = await importFile({
    file,
    list: values.list,
    ...(await findInstallation(values.api, values.key)),
    map: Object.fromEntries(values.map.map(pair)),
    ...(consent_source === undefined ? {} : { consent_source }),
    chunk,
    onProgress: process.stderr.isTTY ? drawBar : printTenths(),
  })
  if (process.stderr.isTTY) process.stderr.write('\n')
  const { rows, created, updated, unchanged, refused, kept, resumed_after, rejected_file } = summary
  const seconds = Math.max((Date.now() - started) / 1_000, 0.001)
  if (resumed_after > 0) console.log(`went on after row ${resumed_after} of an interrupted import`)
  console.log(`${rows} rows: ${created} created, ${updated} updated, ${unchanged} unchanged, ${refused} refused`)
  if (kept > 0) console.log(`${kept} people who had opted out, bounced or complained stay so`)
  if (rejected_file) console.log(`refused rows: ${rejected_file}`)
  console.log(`${seconds.toFixed(1)} s, ${Math.round((rows - resumed_after) / seconds)} rows a second`)
  if (rows > 0 && refused === rows) process.exitCode = 1
} catch (error) {
  if (!(error instanceof ImportError)) throw error
  console.error(`import: ${error.message}`)
  process.exitCode = 1
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
