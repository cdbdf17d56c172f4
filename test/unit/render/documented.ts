// The examples of docs/templates.md.
import { readFileSync } from 'node:fs'

export const PAGE = readFileSync(new URL('../../../docs/templates.md', import.meta.url), 'utf8')

/** Rows of the tables whose head is `Template | Data | Output`. */
export const ROWS = PAGE.split('\n')
  .map((line) => /^\| `(.+)` \| `(\{.*\})` \| `(.*)` \|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, template = '', data = '', output = '']) => [template.replaceAll('\\|', '|'), data, output] as const)

/** Spaces that do not break look like any other on the page. */
export const spaced = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')
