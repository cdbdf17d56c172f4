// What an import remembers beside its file, so that an interrupted one goes on where it was.
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'

export interface Counts {
  /** Records read, without the header. */
  rows: number
  created: number
  updated: number
  unchanged: number
  refused: number
  /** Rows whose person opted out, bounced or complained earlier and stays so (counted among the others, too). */
  kept: number
}

export interface Progress extends Counts {
  /** Hash of the file and of every option that changes what is sent. */
  of: string
  /** Tells this import from an earlier one of the same file: part of the Idempotency-Keys. */
  run: string
  chunks: number
  /** Bytes of the file of refused rows when the last chunk was done. */
  rejected_bytes: number
}

const fileOf = (path: string) => `${path}.import-state.json`

/** What is left of an interrupted import of the same file with the same options, or a fresh start. */
export function readProgress(path: string, of: string): Progress {
  try {
    const progress = JSON.parse(readFileSync(fileOf(path), 'utf8')) as Progress
    if (progress.of === of) return progress
  } catch {
    // None, or unreadable: start anew. The calls are upserts, nothing is doubled.
  }
  const none = { rows: 0, created: 0, updated: 0, unchanged: 0, refused: 0, kept: 0 }
  return { of, run: randomUUID(), chunks: 0, rejected_bytes: 0, ...none }
}

export function saveProgress(path: string, progress: Progress): void {
  writeFileSync(`${fileOf(path)}.new`, JSON.stringify(progress))
  renameSync(`${fileOf(path)}.new`, fileOf(path))
}

export function forgetProgress(path: string): void {
  rmSync(fileOf(path), { force: true })
}

/** SHA-256 over a file and the options it is imported with, in hex. */
export async function fingerprint(path: string, options: unknown): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(options)).update('\0')
  await pipeline(createReadStream(path), async (chunks) => {
    for await (const chunk of chunks) hash.update(chunk)
  })
  return hash.digest('hex')
}
