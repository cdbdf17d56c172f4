// The import of a CSV file through the API: what `npm run import` and the demo do. The API reads it; here it is sent.
import { createWriteStream, rmSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Encoding, ImportPolicy } from '../src/imports/options.ts'
import type { ExportFormat } from '../src/imports/state.ts'
import type { ImportKind, ImportStatus } from '../src/imports/status.ts'
import { type Api, backoff, openApi, Refused } from './import/api.ts'
import { ImportError } from './import/error.ts'
import { fingerprint, forgetImport, recallImport, rememberImport } from './import/resume.ts'

/** Bytes of one part. Longer than any record, so that each part moves on; well below what Cloudflare takes. */
const PART = 8_000_000
/** Times in a row that nothing moves before it is given up: some four minutes. */
const PATIENCE = 12
/** Time between two looks at how far a part is, in ms. */
const LOOK = 1_000

/** Refusals that say where the import stands, and no more. */
const PASSING = ['upload_offset_mismatch', 'import_busy', 'wrong_status']

export interface ImportOptions {
  file: string
  api_url: string
  api_key: string
  /** Name of the list to subscribe to; made when it is missing. */
  list?: string | undefined
  kind?: ImportKind | undefined
  policy?: ImportPolicy | undefined
  dry_run?: boolean | undefined
  /** From column names to fields, `attributes.<name>`, or `-`. */
  map?: Record<string, string> | undefined
  tags?: string[] | undefined
  /** Where consent comes from, for rows that do not say. */
  consent_source?: string | undefined
  encoding?: Encoding | undefined
  delimiter?: string | undefined
  /** Bytes of one part; 8 MB when left out. */
  part?: number | undefined
  /** Hears how far it is: rows done, and bytes of the file out of all. */
  onProgress?: ((rows: number, bytes: number, total_bytes: number) => void) | undefined
  /** Hears, once, that the part of an earlier run has to end first: that may take a minute. */
  onWait?: (() => void) | undefined
  /** Waits so many ms. */
  pause?: ((ms: number) => Promise<unknown>) | undefined
}

/** An import as the API answers it, as far as it is used here. */
export interface Import {
  id: number
  status: ImportStatus
  is_busy: boolean
  format: ExportFormat | null
  encoding: string | null
  delimiter: string | null
  columns: { column: string; field: string | null }[] | null
  sample: Record<string, unknown>[] | null
  rows: number
  created: number
  updated: number
  unchanged: number
  skipped: number
  refused: number
  kept: number
  next_offset: number
  error: string | null
}

export interface Summary extends Import {
  /** Null when there is none: a dry run makes no list, suppressions know none. */
  list_id: number | null
  /** Where the refused rows are, with line and reason; null when there are none. */
  rejected_file: string | null
  /** Rows that were done with before this run went on with an interrupted import. */
  resumed_after: number
}

/**
 * Sends a file in parts, one after the other. Which import it is is remembered beside the file until the end, so that an
 * interrupted one goes on where it was: the API knows how far it has come, and takes no row twice.
 *
 * @throws {ImportError} when the file cannot be imported, or the API refuses a call or stays away
 */
export async function importFile(
  options: ImportOptions & { list: string; dry_run?: false },
): Promise<Summary & { list_id: number }>
export async function importFile(options: ImportOptions): Promise<Summary>
export async function importFile(options: ImportOptions): Promise<Summary> {
  const { file, api_url, api_key, pause = (ms: number) => sleep(ms), onProgress, dry_run = false } = options
  const size = await sizeOf(file)
  if (!URL.canParse(api_url)) throw new ImportError(`${api_url} is not a URL`)
  const api = openApi(api_url, api_key, pause)
  const list_id = options.list === undefined ? null : await findOrCreateList(api, options.list, dry_run)
  const query = queryOf(options, list_id, size)
  const of = await fingerprint(file, { api_url, query })

  const begun = await resume(api, recallImport(file, of))
  const current = begun ?? (await create(api, query, pause))
  rememberImport(file, { of, import_id: current.id })
  const done = current.status === 'finished' ? current : await sendParts(api, current, size, { ...options, pause })
  onProgress?.(done.rows, size, size)
  const rejected_file = await fetchRejected(api, file, done)
  forgetImport(file)
  return { ...done, list_id, rejected_file, resumed_after: begun?.rows ?? 0 }
}

/** @throws {ImportError} when there is no such file, or it is an archive */
async function sizeOf(file: string): Promise<number> {
  const { size } = statSync(file, { throwIfNoEntry: false }) ?? {}
  if (size === undefined || !statSync(file).isFile()) throw new ImportError(`there is no file ${file}`)
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0)
    if (bytesRead === 4 && buffer.toString('latin1') === 'PK\x03\x04') {
      throw new ImportError(
        `${file} is a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV (of a Mailchimp export, import each of the files in it)`,
      )
    }
  } finally {
    await handle.close()
  }
  return size
}

function queryOf(options: ImportOptions, list_id: number | null, size: number): string {
  const query = new URLSearchParams({ complete: 'false', size: String(size), file_name: basename(options.file) })
  if (list_id !== null) query.append('list_id', String(list_id))
  for (const [column, field] of Object.entries(options.map ?? {})) query.append('map', `${column}=${field}`)
  for (const tag of options.tags ?? []) query.append('tag', tag)
  for (const name of ['kind', 'policy', 'consent_source', 'encoding', 'delimiter'] as const) {
    const value = options[name]
    if (value !== undefined) query.set(name, value)
  }
  if (options.dry_run) query.set('dry_run', 'true')
  return query.toString()
}

/** The import that was interrupted, unless it is gone, failed or was cancelled. */
async function resume(api: Api, import_id: number | null): Promise<Import | null> {
  if (import_id === null) return null
  try {
    const found = await api.get<Import>(`/imports/${import_id}`)
    return found.status === 'receiving' || found.status === 'finished' ? found : null
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null
    throw error
  }
}

/** Makes an import without a part. One whose answer is lost stays empty and is forgotten. */
async function create(api: Api, query: string, pause: (ms: number) => Promise<unknown>): Promise<Import> {
  let failure = ''
  for (let tries = 1; tries <= PATIENCE; tries++) {
    const sent = await api.send('POST', `/imports?${query}`, { body: new Uint8Array(), type: 'text/csv' })
    if ('body' in sent) return sent.body as Import
    if ('refused' in sent) throw sent.refused
    failure = sent.again
    await pause(sent.wait || backoff(tries))
  }
  throw new ImportError(`the API does not answer (${failure})`)
}

async function sendParts(
  api: Api,
  current: Import,
  size: number,
  { file, part = PART, pause, onProgress, onWait }: ImportOptions & { pause: (ms: number) => Promise<unknown> },
): Promise<Import> {
  const path = `/imports/${current.id}`
  const look = () => api.get<Import>(path)
  const handle = await open(file)
  try {
    let failures = 0
    let failure = ''
    let has_waited = false
    while (current.status === 'receiving') {
      if (current.is_busy) {
        // A part whose answer was lost is still being written, or was given up and keeps others out for a while.
        if (!has_waited) onWait?.()
        has_waited = true
        await pause(LOOK)
        current = await look()
        continue
      }
      if (failures >= PATIENCE) throw new ImportError(`nothing moves any more (${failure}); start it again to go on`)
      if (failures > 0) await pause(backoff(failures))
      const from = current.next_offset
      const complete = from + part >= size
      const body = await readPart(handle, from, Math.min(part, size - from))
      const watched = onProgress && watch(look, (seen) => onProgress(seen.rows, seen.next_offset, size))
      const sent = await api
        .send('PATCH', `${path}?complete=${complete}`, {
          body,
          type: 'text/csv',
          headers: { 'upload-offset': String(from) },
        })
        .finally(() => watched?.stop())
      if ('refused' in sent && !PASSING.includes(sent.refused.code)) {
        const { code, detail } = sent.refused
        if (code !== 'file_unreadable') throw sent.refused
        forgetImport(file)
        throw new ImportError(`${file}: ${detail}`)
      }
      if ('again' in sent) failure = sent.again
      else if ('refused' in sent) failure = sent.refused.message
      if ('again' in sent && sent.wait > 0) await pause(sent.wait)
      current = 'body' in sent ? (sent.body as Import) : await look()
      onProgress?.(current.rows, current.next_offset, size)
      // Whatever the answer was: it is well when the import moves on.
      failures = current.next_offset > from ? 0 : failures + 1
      if (failures > 0 && 'body' in sent) failure = `the API reads no whole record of ${body.length} bytes`
    }
    if (current.status === 'finished') return current
    throw new ImportError(
      current.status === 'failed' ? (current.error ?? 'the file cannot be read') : 'the import was cancelled',
    )
  } finally {
    await handle.close()
  }
}

async function readPart(handle: FileHandle, from: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const part = new Uint8Array(length)
  let read = 0
  while (read < length) {
    const { bytesRead } = await handle.read(part, read, length - read, from + read)
    if (bytesRead === 0) throw new ImportError('the file became shorter while it was read')
    read += bytesRead
  }
  return part
}

/** Looks at the import from time to time while a part is being written: a part may take a while. */
function watch(look: () => Promise<Import>, see: (seen: Import) => void) {
  let going = true
  const run = async () => {
    for (;;) {
      await sleep(LOOK, undefined, { ref: false })
      if (!going) return
      const seen = await look()
      if (!going) return
      see(seen)
    }
  }
  // Looking is for the eye only: what fails there fails, or does not, where the part is sent.
  run().catch(() => {})
  return {
    stop() {
      going = false
    },
  }
}

/** `rejected-<file>` beside the file: each refused row as it was, after its line and the reason. */
async function fetchRejected(api: Api, file: string, { id, refused }: Import): Promise<string | null> {
  const path = join(dirname(file), `rejected-${basename(file)}`)
  if (refused === 0) {
    rmSync(path, { force: true })
    return null
  }
  await pipeline(Readable.from(await api.download(`/imports/${id}/refusals.csv`)), createWriteStream(path))
  return path
}

async function findOrCreateList(api: Api, name: string, dry_run: boolean): Promise<number | null> {
  const find = async () => {
    const { data } = await api.get<{ data: { id: number }[] }>(`/lists?name=${encodeURIComponent(name)}`)
    return data[0]?.id
  }
  const found = await find()
  if (found !== undefined) return found
  if (dry_run) return null
  try {
    return (await api.post<{ id: number }>('/lists', { name })).id
  } catch (error) {
    // Someone else was a moment faster, or the answer to our own first try was lost.
    const made = error instanceof Refused && error.code === 'name_taken' ? await find() : undefined
    if (made === undefined) throw error
    return made
  }
}
