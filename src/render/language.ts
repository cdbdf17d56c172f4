import { createEnvironment, type Environment } from './handlebars/environment.ts'
import { registerHelpers } from './helpers.ts'

/** The template language of this kit: Handlebars with its own helpers and ours. Made once per isolate. */
export const language: Environment = createEnvironment()
registerHelpers(language)

/** Helpers that a template may call by name. */
export const HELPER_NAMES: ReadonlySet<string> = new Set(
  Object.keys(language.helpers).filter((name) => name !== 'helperMissing' && name !== 'blockHelperMissing'),
)
