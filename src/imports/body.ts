import { Problem } from '../http/problem.ts'

/**
 * A part's body, held to what the caller said of the file's size: bytes that are missing at the end mean that the
 * connection broke off, and bytes beyond it that another file is being sent. Either breaks the stream, so that half a file
 * never passes for the whole.
 *
 * @param from - byte of the file where the part begins
 * @param size - bytes of the whole file; null when it is not known
 * @param complete - whether the part goes to the end of the file
 */
export function checkedBody(
  body: ReadableStream<Uint8Array> | null,
  from: number,
  size: number | null,
  complete: boolean,
): ReadableStream<Uint8Array> {
  let at = from
  const check = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      at += chunk.length
      if (size !== null && at > size) controller.error(unfit(`more than the file's ${size} bytes were sent`))
      else controller.enqueue(chunk)
    },
    flush(controller) {
      if (size !== null && complete && at < size) controller.error(unfit(`it ends at byte ${at} of ${size}`))
    },
  })
  return (body ?? new Blob([]).stream()).pipeThrough(check)
}

const unfit = (what: string) =>
  new Problem('malformed_request', `The body does not fit the import: ${what}.`, {
    errors: [{ field: 'body', detail: what }],
  })
