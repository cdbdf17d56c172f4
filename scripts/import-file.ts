// The import of a CSV file through the API: what `npm run import` and the demo do.
import { appendFileSync, createReadStream, existsSync, rmSync, statSync, truncateSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream'
import { parse } from 'csv-parse'
import { type Api, openApi, Refused } from './import/api.ts'
import { ImportError, mapColumns, type Target } from './import/columns.ts'
import { detectDelimiter } from './import/delimiter.ts'
import { LineCounter } from './import/lines.ts'
import { type Counts, fingerprint, forgetProgress, type Progress, readProgress, saveProgress } from './import/resume.ts'
import { type ImportRow, toRow } from './import/row.ts'

/** Bytes of one bulk call; the API takes 4 MB. */
const CHUNK_BYTES = 3_000_000
/** Characters of one record: past this a quote was opened and never closed. */
const RECORD_LIMIT = 1_000_000
/** Characters of refused records that are held before they are written. */
const REJECTED_BUFFER = 1_000_000

export interface ImportOptions {
  file: string
  /** Name of the list to subscribe to; made when it is missing. */
  list: string
  api_url: string
  api_key: string
  /** From column names to fields; see `mapColumns`. */
  map?: Record<string, string>
  /** Where consent comes from, for rows that do not say. */
  consent_source?: string
  /** Rows of one call, at most 1,000; 500 when left out. */
  chunk?: number
  /** Hears after each chunk how far it is: records done, and bytes of the file out of all. */
  onProgress?: (rows: number, bytes: number, total_bytes: number) => void
  /** Waits so many ms before a call is repeated. */
  pause?: (ms: number) => Promise<unknown>
}

export interface Summary extends Counts {
  list_id: number
  /** Where the refused rows are, with line and reason; null when there are none. */
  rejected_file: string | null
  /** Records that an interrupted import before this one had already sent. */
  resumed_after: number
}

interface Answer {
  index: number
  outcome: 'created' | 'updated' | 'unchanged' | 'refused'
  kept: string | null
  kept_lists: number[]
  errors: { field: string; detail: string }[]
}

interface Waiting {
  line: number
  record: readonly string[]
  row: ImportRow
}

/**
 * Sends a file's rows in chunks, one after the other. What was sent is remembered beside the file until the end, so an
 * interrupted import goes on where it was; doing it again doubles nobody, since every call is an upsert.
 *
 * @throws {ImportError} when the file cannot be read as CSV, or the API refuses a call or stays away
 */
export async function importFile(options: ImportOptions): Promise<Summary> {
  const { file, list, chunk = 500, map = {}, consent_source, onProgress } = options
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new ImportError(`there is no file ${file}`)
  if (!URL.canParse(options.api_url)) throw new ImportError(`${options.api_url} is not a URL`)
  const api = openApi(options.api_url, options.api_key, options.pause)
  const list_id = await findOrCreateList(api, list)
  const of = await fingerprint(file, { list_id, chunk, map, consent_source, api_url: options.api_url })
  const progress = readProgress(file, of)
  const resumed_after = progress.rows
  const rejected = openRejected(file, progress.rejected_bytes)
  const total_bytes = statSync(file).size

  const settings = { list_id, consent_source, file_name: basename(file) }
  let waiting: Waiting[] = []
  let waiting_bytes = 0
  let rows = 0

  const send = async (bytes: number) => {
    const answers = waiting.length > 0 ? await sendChunk(api, progress, waiting) : []
    for (const [i, { outcome, kept, kept_lists, errors }] of answers.entries()) {
      progress[outcome]++
      if (kept !== null || kept_lists.length > 0) progress.kept++
      const { line, record } = waiting[i] ?? { line: 0, record: [] }
      if (outcome === 'refused') {
        rejected.add(line, errors.map(({ field, detail }) => `${field} ${detail}`).join('; '), record)
      }
    }
    waiting = []
    waiting_bytes = 0
    progress.rows = rows
    progress.chunks++
    progress.rejected_bytes = rejected.flush()
    saveProgress(file, progress)
    onProgress?.(rows, bytes, total_bytes)
  }

  let targets: Target[] | null = null
  let bytes = 0
  for await (const { line, record, bytes: end } of records(file, await detectDelimiter(file))) {
    bytes = end
    if (!targets) {
      targets = mapColumns(record, map)
      rejected.setHeader(record)
      continue
    }
    rows++
    if (rows <= resumed_after) continue
    const result = toRow(targets, record, settings)
    if ('problem' in result) {
      progress.refused++
      rejected.add(line, result.problem, record)
      continue
    }
    const size = Buffer.byteLength(JSON.stringify(result.row))
    if (waiting.length >= chunk || waiting_bytes + size > CHUNK_BYTES) {
      // This record is not part of what is sent now.
      rows--
      await send(bytes)
      rows++
    }
    waiting.push({ line, record, row: result.row })
    waiting_bytes += size
  }
  if (!targets) throw new ImportError(`${file} is empty: its first line must name the columns`)
  await send(total_bytes)
  forgetProgress(file)
  const { created, updated, unchanged, refused, kept } = progress
  const rejected_file = refused > 0 ? rejected.path : null
  return { rows, created, updated, unchanged, refused, kept, list_id, rejected_file, resumed_after }
}

async function sendChunk(api: Api, progress: Progress, waiting: readonly Waiting[]): Promise<Answer[]> {
  const key = `import-${progress.of.slice(0, 32)}-${progress.run}-${progress.chunks}`
  const body = { subscribers: waiting.map(({ row }) => row) }
  const { data } = await api.post<{ data: Answer[] }>('/subscribers/bulk', body, key)
  if (data.length !== waiting.length) throw new ImportError('the API did not answer for every row')
  return data
}

async function findOrCreateList(api: Api, name: string): Promise<number> {
  const find = async () => {
    const { data } = await api.get<{ data: { id: number }[] }>(`/lists?name=${encodeURIComponent(name)}`)
    return data[0]?.id
  }
  const found = await find()
  if (found !== undefined) return found
  try {
    return (await api.post<{ id: number }>('/lists', { name })).id
  } catch (error) {
    // Someone else was a moment faster, or the answer to our own first try was lost.
    const made = error instanceof Refused && error.code === 'name_taken' ? await find() : undefined
    if (made === undefined) throw error
    return made
  }
}

/** The records of a CSV file with the line each begins in and where in the file it ends. */
async function* records(file: string, delimiter: string) {
  const lines = new LineCounter()
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    max_record_size: RECORD_LIMIT,
    raw: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  })
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      lines.see(chunk)
      yield chunk
    }
  }
  // A failure reaches the loop below through the parser.
  pipeline(createReadStream(file), counted, parser, () => {})
  let line = 0
  try {
    for await (const { record, raw, info } of parser as AsyncIterable<Parsed>) {
      line = lines.lineOf(info.bytes, raw)
      yield { line, record, bytes: info.bytes }
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('CSV_'))) throw error
    throw new ImportError(`${file} cannot be read as CSV after the record in line ${line}: ${error.message}`)
  }
}

interface Parsed {
  record: string[]
  raw: string
  info: { bytes: number }
}

/** `rejected-<file>` beside the file: each refused record as it was, after its line and the reason. */
function openRejected(file: string, bytes: number) {
  const path = join(dirname(file), `rejected-${basename(file)}`)
  // What was written after the last chunk that counts will be written again.
  if (bytes > 0 && existsSync(path)) truncateSync(path, bytes)
  else {
    rmSync(path, { force: true })
    bytes = 0
  }
  let header: readonly string[] = []
  let lines = ''
  return {
    path,
    setHeader(record: readonly string[]) {
      header = record
    },
    add(line: number, reason: string, record: readonly string[]) {
      if (bytes === 0 && lines === '') lines = csvLine(['line', 'reason', ...header])
      lines += csvLine([String(line), reason, ...record])
      if (lines.length > REJECTED_BUFFER) this.flush()
    },
    /** @returns the size of the file */
    flush(): number {
      if (lines !== '') appendFileSync(path, lines)
      bytes += Buffer.byteLength(lines)
      lines = ''
      return bytes
    },
  }
}

export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\r\n`
}
