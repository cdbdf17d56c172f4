/**
 * A `name=value; name=value` list, as DKIM keys and DMARC records are written (RFC 6376 3.2, RFC 7489 6.3).
 *
 * @returns null when it is not such a list, or names a tag twice
 */
export function readTags(text: string): Map<string, string> | null {
  const tags = new Map<string, string>()
  const parts = text.split(';')
  if (parts.at(-1)?.trim() === '') parts.pop()
  for (const part of parts) {
    const [, name = '', value = ''] = /^\s*([A-Za-z][A-Za-z0-9_]*)\s*=([\s\S]*)$/.exec(part) ?? []
    if (name === '' || tags.has(name.toLowerCase())) return null
    tags.set(name.toLowerCase(), value.trim())
  }
  return tags
}
