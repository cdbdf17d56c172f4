import { DELIMITERS, type Delimiter } from './options.ts'

/** Comma, semicolon or tab: whichever stands most often in the first line, outside quotes. */
export function detectDelimiter(text: string): Delimiter {
  const counts = new Map<string, number>(DELIMITERS.map((delimiter) => [delimiter, 0]))
  let quoted = false
  for (const char of text) {
    if (char === '"') quoted = !quoted
    else if (!quoted && (char === '\n' || char === '\r')) break
    else if (!quoted) {
      const count = counts.get(char)
      if (count !== undefined) counts.set(char, count + 1)
    }
  }
  return DELIMITERS.reduce((best, next) => ((counts.get(next) ?? 0) > (counts.get(best) ?? 0) ? next : best))
}

/** The line `sep=;` before the header, by which Excel tells and is told the delimiter: not data. */
export const SEPARATOR_LINE = /^"?sep=([,;\t])"?(?:\r\n|\r|\n)/i
