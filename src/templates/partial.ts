/** A shared part, in one version. */
export interface Partial {
  id: number
  name: string
  version: number
  format: 'mjml' | 'html'
  source: string
  /** What stands for it in text parts that authors write themselves; null has it made from `source`. */
  text_source: string | null
}

/** The partials that a source calls, those called by others included. */
export interface Partials {
  found: ReadonlyMap<string, Partial>
  /** The names of all there are, to suggest one from. */
  names: readonly string[]
}

export const NO_PARTIALS: Partials = { found: new Map(), names: [] }
