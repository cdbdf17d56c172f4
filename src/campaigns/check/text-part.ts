import type { Finding } from './finding.ts'
import { lettersIn, type Page } from './page.ts'

/** A text part with less than this share of the HTML's letters says something else than the HTML. */
const LEAST_SHARE = 0.25
/** In a mail of fewer letters there is nothing to leave out. */
const LEAST_LETTERS = 200

/** Both parts always exist; one that is nearly empty is what filters and readers of plain text get. */
export function textPartFindings({ text: seen }: Page, text: string): Finding[] {
  const there = lettersIn(text)
  const all = lettersIn(seen)
  if (all < LEAST_LETTERS || there >= all * LEAST_SHARE) return []
  return [
    {
      code: 'text_part_short',
      field: 'template_id',
      detail: `The text part has ${there} letters, the HTML ${all}: write it out, or leave text_source null to have it made from the HTML.`,
    },
  ]
}
