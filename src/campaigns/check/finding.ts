import { Problem } from '../../http/problem.ts'

/** One thing that a check finds. */
export interface Finding {
  /** One word for programs, of docs/check.md. */
  code: string
  /** The campaign's field to mend: `subject`, `template_id`, `audience.include.0`. */
  field: string
  /** What is wrong and how to put it right, for a person to read behind the field's name or alone. */
  detail: string
  /** In the template's source, counted from 1. */
  line?: number
  /** Which of the template's sources the line is of. */
  part?: 'source' | 'text_source'
}

/** The refusal of a campaign that has errors. */
export const notReady = (errors: readonly Finding[]) =>
  new Problem('campaign_not_ready', errors.map(({ detail }) => detail).join('; '), {
    errors: errors.map(({ field, detail }) => ({ field, detail })),
  })

/** `a, b, c and 4 more`. */
export function some(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown
}

/** `1 image`, `2 images`. */
export const counted = (n: number, noun: string) => `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`
