/** One thing that keeps a template from being saved. */
export interface TemplateProblem {
  field: 'source' | 'text_source'
  /** Line of that field, counted from 1, where it is known. */
  line?: number
  detail: string
}

/** Problems that are told at once; whoever has more mends these first. */
const MOST = 100

/** The template cannot be saved; nothing of it was. */
export class TemplateError extends Error {
  override name = 'TemplateError'
  readonly problems: TemplateProblem[]

  constructor(problems: TemplateProblem[]) {
    super(
      problems
        .slice(0, MOST)
        .map(({ field, line, detail }) => `${field}${line ? `:${line}` : ''} ${detail}`)
        .join('\n'),
    )
    this.problems = problems.slice(0, MOST)
  }
}
