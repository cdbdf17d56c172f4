// Files that are too large to be held: read page by page as they are taken.
import { sqlState } from '../db/retry.ts'
import { log } from '../log.ts'

export const FILE_FORMATS = ['csv', 'ndjson'] as const
export type FileFormat = (typeof FILE_FORMATS)[number]

/** Some rows as they stand in the file, and where the next page begins; null after the last. */
export interface FilePage<Place> {
  text: string
  next: Place | null
}

/**
 * A file of pages. One page lies ready beside the one that is being taken, so memory stays flat whatever the number of rows;
 * nothing is read for a reader who went away. When a page cannot be read the stream breaks, and the connection with it: half
 * a file does not pass for the whole.
 *
 * @param header - what stands before the first row
 * @param readPage - given null for the first page
 */
export function streamFile<Place>(
  header: string,
  readPage: (place: Place | null) => Promise<FilePage<Place>>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let place: Place | null = null
  let text = header
  let taken = true
  return new ReadableStream({
    async pull(controller) {
      // A page on which nobody fits is empty: whoever waits is not woken for that.
      do {
        const page: FilePage<Place> = await readPage(place).catch((error: unknown) => {
          log('file_broken', {
            error: error instanceof Error ? error.name : 'unknown',
            sql_state: sqlState(error) ?? null,
          })
          throw error
        })
        text += page.text
        place = page.next
      } while (text === '' && place !== null && taken)
      if (text !== '' && taken) controller.enqueue(encoder.encode(text))
      text = ''
      if (place === null && taken) controller.close()
    },
    cancel() {
      taken = false
    },
  })
}

const TYPES: Record<FileFormat, string> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
}

/** @param name - without its ending; letters, digits and hyphens */
export const fileResponse = (file: ReadableStream<Uint8Array>, name: string, format: FileFormat): Response =>
  new Response(file, {
    headers: {
      'content-type': TYPES[format],
      'content-disposition': `attachment; filename="${name}.${format}"`,
    },
  })
