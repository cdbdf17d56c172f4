import { open } from 'node:fs/promises'

/** Bytes of the file in which its first line must end. */
const HEAD = 65_536

/** Comma, semicolon or tab: whichever stands most often in the first line, outside quotes. */
export async function detectDelimiter(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0)
    return delimiterOf(buffer.toString('utf8', 0, bytesRead))
  } finally {
    await file.close()
  }
}

export function delimiterOf(text: string): string {
  const counts = new Map([
    [',', 0],
    [';', 0],
    ['\t', 0],
  ])
  let quoted = false
  for (const char of text.trimStart()) {
    if (char === '"') quoted = !quoted
    else if (!quoted && (char === '\n' || char === '\r')) break
    else if (!quoted) {
      const count = counts.get(char)
      if (count !== undefined) counts.set(char, count + 1)
    }
  }
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0]
}
