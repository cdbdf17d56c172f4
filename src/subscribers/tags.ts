/** Tags of one subscriber, and characters (code points) of one tag. */
export const TAGS_LIMIT = 100
const TAG_LENGTH_LIMIT = 50
/** Text longer than this is refused before anything else looks at it. */
const INPUT_LIMIT = 1_000
/** Controls, lone surrogates, line and paragraph separators; a tag is one line that can be stored. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\u2028\u2029]/u

/**
 * The one spelling of a tag: NFC, lower case, no blanks around it and single ones inside. Or the reason why it is none.
 * Unlike a name it is compared as a whole, so two tags that look the same must be the same.
 */
export function normaliseTag(text: string): { tag: string } | { problem: string } {
  if (text.length > INPUT_LIMIT) return { problem: `must have at most ${TAG_LENGTH_LIMIT} characters` }
  const trimmed = text.trim()
  if (FORBIDDEN.test(trimmed)) return { problem: 'must be one line, without control characters' }
  // Lower case may take a letter apart (the Turkish dotted capital), so that it is composed once more.
  const tag = trimmed.normalize('NFC').toLowerCase().normalize('NFC').replace(/\s+/g, ' ')
  if (tag === '') return { problem: 'must not be empty' }
  return [...tag].length > TAG_LENGTH_LIMIT ? { problem: `must have at most ${TAG_LENGTH_LIMIT} characters` } : { tag }
}
