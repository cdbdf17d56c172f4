import { closeSync, createReadStream, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'csv-parse'
import { subscribersCsv } from '../make-subscribers.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/subscribers.csv', import.meta.url))
/** Rows of the example. */
const EXAMPLE_SIZE = 1000

/**
 * The CSV of `size` subscribers (the one in examples/ when it has as many), and how many of them may be mailed, counted
 * here from the file: what the kit says is held against it.
 */
export async function subscribersFile(size: number, folder: string): Promise<{ file: string; active: number }> {
  let file = EXAMPLE
  if (size !== EXAMPLE_SIZE) {
    mkdirSync(folder, { recursive: true })
    file = join(folder, `subscribers-${size}.csv`)
    const descriptor = openSync(file, 'w')
    for (const text of subscribersCsv(size)) writeSync(descriptor, text)
    closeSync(descriptor)
  }
  let active = 0
  for await (const row of createReadStream(file).pipe(parse({ columns: true, bom: true }))) {
    if (row.status !== 'unsubscribed') active++
  }
  return { file, active }
}
