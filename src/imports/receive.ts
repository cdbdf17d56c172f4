// One part of a file, from the stream to the tables: read, checked and written slice by slice, never held as a whole.
import { readAttributeTypes } from '../attributes/store.ts'
import type { Database } from '../db/client.ts'
import { Problem } from '../http/problem.ts'
import { checkedBody } from './body.ts'
import { Intake } from './intake.ts'
import { failImport, finishImport, type Hold, releaseImport } from './lease.ts'
import { MappingProblem } from './mapping.ts'
import { People } from './people.ts'
import { readPart } from './read.ts'
import type { StoredImport } from './store.ts'
import { Suppressions } from './suppress.ts'
import { UnreadableFile } from './unreadable.ts'

export interface Receiver {
  db: Database
  hash_key: string
}

/**
 * Reads a part to its end and writes its rows. While Postgres writes one slice the next one is read; more than that is
 * never held. Whatever breaks it off, the slices that were written count, and the import goes on behind them.
 *
 * @param held - the import as `holdImport` returned it
 * @param complete - whether the file ends with this part
 * @throws {Problem} file_unreadable (the import has failed), or that the import was cancelled or taken meanwhile
 */
export async function receivePart(
  s: Receiver,
  held: StoredImport,
  hold: Hold,
  body: ReadableStream<Uint8Array> | null,
  complete: boolean,
): Promise<void> {
  const { db } = s
  try {
    const at = await readInto(s, held, hold, checkedBody(body, held.next_offset, held.size, complete), complete)
    if (complete) await finishImport(db, hold, at)
    else await releaseImport(db, hold)
  } catch (error) {
    if (error instanceof UnreadableFile || error instanceof MappingProblem) {
      await failImport(db, hold, error.message)
      throw new Problem('file_unreadable', error.message, {
        errors: [{ field: error instanceof MappingProblem ? 'map' : 'body', detail: error.message }],
        import_id: hold.import_id,
      })
    }
    // When Postgres is away the lease ends by itself.
    await releaseImport(db, hold).catch(() => {})
    throw error
  }
}

/** @returns the byte of the file that the import goes on with */
async function readInto(
  { db, hash_key }: Receiver,
  held: StoredImport,
  hold: Hold,
  body: ReadableStream<Uint8Array>,
  complete: boolean,
): Promise<number> {
  const types = await readAttributeTypes(db)
  if (held.kind === 'subscribers') {
    return readSlices(held, new Intake(held, types, new People(db, hash_key, held, hold)), body, complete)
  }
  const suppressions = new Suppressions(db, held, hold)
  const at = await readSlices(held, new Intake(held, types, suppressions), body, complete)
  await suppressions.end(hash_key, complete)
  return at
}

async function readSlices<Row>(
  held: StoredImport,
  intake: Intake<Row>,
  body: ReadableStream<Uint8Array>,
  complete: boolean,
): Promise<number> {
  const from = { offset: held.next_offset, line: held.line }
  try {
    for await (const piece of readPart(body, from, held.options, held.state, complete)) await intake.take(piece)
  } catch (error) {
    // Records that were whole before the file turned out to be unreadable, or the connection broke off, count.
    await intake.end()
    throw error
  }
  return intake.end()
}
