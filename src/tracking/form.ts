/** In bytes; the edge's forms have one short field. */
const MAX_BODY = 16_384

/** Fields by their names. Some come several times. */
export interface Form {
  get(name: string): unknown
  getAll(name: string): unknown[]
}

/**
 * The fields of a posted form, multipart or urlencoded. A body of any other declared type is read as urlencoded: mail
 * providers that post without a type must not be turned away.
 *
 * @param max - in bytes
 * @returns null for a body that is too large or is not what it says
 */
export async function readForm(request: Request, max = MAX_BODY): Promise<Form | null> {
  const body = await readBody(request, max)
  if (!body) return null
  const type = request.headers.get('Content-Type') ?? ''
  if (!/^multipart\/form-data\s*;/i.test(type)) return new URLSearchParams(new TextDecoder().decode(body))
  try {
    return await new Response(body, { headers: { 'Content-Type': type } }).formData()
  } catch {
    return null
  }
}

async function readBody(request: Request, max: number): Promise<Uint8Array<ArrayBuffer> | null> {
  const body = new Uint8Array(max)
  let size = 0
  for await (const chunk of request.body ?? []) {
    if (size + chunk.length > max) return null
    body.set(chunk, size)
    size += chunk.length
  }
  return body.subarray(0, size)
}
