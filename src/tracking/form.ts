/** In bytes; the forms read here have one short field. */
const MAX_BODY = 16_384

/**
 * The fields of a posted form, multipart or urlencoded. A body of any other declared type is read as urlencoded: mail
 * providers that post without a type must not be turned away.
 *
 * @returns null for a body that is too large or is not what it says
 */
export async function readForm(request: Request): Promise<{ get(name: string): unknown } | null> {
  const body = await readBody(request)
  if (!body) return null
  const type = request.headers.get('Content-Type') ?? ''
  if (!/^multipart\/form-data\s*;/i.test(type)) return new URLSearchParams(new TextDecoder().decode(body))
  try {
    return await new Response(body, { headers: { 'Content-Type': type } }).formData()
  } catch {
    return null
  }
}

async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer> | null> {
  const body = new Uint8Array(MAX_BODY)
  let size = 0
  for await (const chunk of request.body ?? []) {
    if (size + chunk.length > MAX_BODY) return null
    body.set(chunk, size)
    size += chunk.length
  }
  return body.subarray(0, size)
}
