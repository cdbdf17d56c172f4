/**
 * The strings of a TXT record in presentation form (RFC 1035 5.1): quoted, with `\"` and `\065` for what needs it. Google's
 * resolver may leave the quotes out, and then it is one string.
 */
export function readTexts(data: string): string[] {
  if (!data.startsWith('"')) return [data]
  const strings = data.match(/"(?:[^"\\]|\\.)*"/gs) ?? []
  return strings.map((string) =>
    string
      .slice(1, -1)
      .replace(/\\(\d{3}|.)/gs, (_, escaped: string) =>
        escaped.length === 3 ? String.fromCharCode(Number(escaped) & 0xff) : escaped,
      ),
  )
}
