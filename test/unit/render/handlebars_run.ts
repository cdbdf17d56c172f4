// Runs a case through an engine, upstream's or ours.

import type { Helper, HelperOptions } from '../../../src/render/handlebars/frame.ts'
import type { Case } from './handlebars_cases.ts'

const SILENT = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false }

/** Helpers that show what a helper is given. */
function helpers(SafeString: new (value: string) => object): Record<string, Helper> {
  const optionsOf = (args: unknown[]) => args.at(-1) as HelperOptions
  return {
    shout: (value) => String(value).toUpperCase(),
    join: (...args) => args.slice(0, -1).map(String).join('+'),
    named: (...args) => JSON.stringify(optionsOf(args).hash),
    bold: (value) => new SafeString(`<b>${String(value)}</b>`),
    wrap(...args) {
      const options = optionsOf(args)
      const body = options.hash?.inverse ? options.inverse : options.fn
      return `(${args.length - 1}${String(body?.(this))})`
    },
    kind(...args) {
      const value = optionsOf(args).fn?.(this)
      return `${typeof value}:${String(value)}`
    },
    self() {
      return JSON.stringify(this)
    },
    count: (...args) => args.length,
    plain: (...args) => `${typeof optionsOf(args).fn}${typeof optionsOf(args).inverse}${optionsOf(args).name}`,
    frame(value, ...args) {
      const options = optionsOf(args)
      return options.fn?.(this, { data: { ...(options.data as object), framed: value } })
    },
    yield(...args) {
      return optionsOf(args).fn?.(this, { blockParams: args.slice(0, -1) })
    },
    pick(name) {
      return (this as Record<string, unknown>)[String(name)]
    },
    pickname: () => 'chosen',
    optional: () => undefined,
    falsy: () => false,
    nullish: () => null,
    raw: (...args) => optionsOf(args).fn?.({}),
    boom: () => {
      throw new Error('boom')
    },
  }
}

export interface Engine {
  registerHelper(name: string, helper: Helper): void
  registerPartial(name: string, partial: string): void
  compile(template: string, options?: object): (data: unknown, options?: object) => string
  SafeString: new (value: string) => object
}

/** What a case yields, or that it fails; `crash`: by an error that nobody wrote. */
export function run(
  engine: Engine,
  { template, data, options, partials }: Case,
): { output: string } | { error: true; crash: boolean } {
  for (const [name, helper] of Object.entries(helpers(engine.SafeString))) engine.registerHelper(name, helper)
  for (const [name, partial] of Object.entries(partials ?? {})) engine.registerPartial(name, partial)
  try {
    return { output: engine.compile(template, options)(data, { ...SILENT, data: { mail: 'M&M' } }) }
  } catch (error) {
    return { error: true, crash: error instanceof TypeError }
  }
}
