// What an import remembers beside its file, so that an interrupted one goes on where it was.
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'

interface Memory {
  /** Hash of the file and of every option that changes what is sent. */
  of: string
  import_id: number
}

const fileOf = (path: string) => `${path}.import-state.json`

/** The import that was begun with the same file and the same options, and did not come to its end. */
export function recallImport(path: string, of: string): number | null {
  try {
    const memory = JSON.parse(readFileSync(fileOf(path), 'utf8')) as Memory
    return memory.of === of ? memory.import_id : null
  } catch {
    // None, or unreadable: start anew. Whoever is there already is found by their address, nobody is doubled.
    return null
  }
}

export function rememberImport(path: string, memory: Memory): void {
  writeFileSync(`${fileOf(path)}.new`, JSON.stringify(memory))
  renameSync(`${fileOf(path)}.new`, fileOf(path))
}

export function forgetImport(path: string): void {
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
