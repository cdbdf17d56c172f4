/// <reference path="./upstream.d.ts" />

import { parse } from 'handlebars/dist/cjs/handlebars/compiler/base.js'
import { Compiler, compile } from 'handlebars/dist/cjs/handlebars/compiler/compiler.js'
import { createProtoAccessControl } from 'handlebars/dist/cjs/handlebars/internal/proto-access.js'
import runtime from 'handlebars/dist/cjs/handlebars.runtime.js'
import type { Program } from './ast.ts'
import { Budget } from './budget.ts'
import type { Decorate, Helper, Main } from './frame.ts'
import type { CompileOptions, OpcodeProgram } from './opcodes.ts'
import { emitProgram } from './program.ts'

/** A compiled template. Compiled on first use; `data` are the variables that `{{@name}}` reads. */
export type Template = (context: unknown, options?: RenderOptions) => string

export interface RenderOptions {
  data?: Record<string, unknown>
  helpers?: Record<string, Helper>
  partials?: Record<string, string | Template>
  allowProtoPropertiesByDefault?: boolean
  allowProtoMethodsByDefault?: boolean
}

/** Handlebars without code generation: same language and runtime, compiled to closures. */
export interface Environment {
  /** @throws at the first render when the source is not valid */
  compile(source: string, options?: CompileOptions): Template
  /**
   * The same for one that is rendered often: which helpers and partials there are is fixed here, not found out anew for
   * every render. Functions in data are not called, names of data are never taken for helpers.
   *
   * @returns what renders it with data, and with what `{{@name}}` reads
   */
  prepare(
    source: string,
    options: { noEscape: boolean; partials: Readonly<Record<string, string>> },
  ): (context: object, variables: Readonly<Record<string, unknown>>) => string
  /** @throws with the line in its message when the source is not valid */
  parse(source: string): Program
  registerHelper(name: string, helper: Helper): void
  registerPartial(name: string, partial: string | Template): void
  readonly helpers: Readonly<Record<string, Helper>>
  readonly SafeString: new (value: string) => object
}

/** What handlebars' runtime makes and its compiler expects. */
export interface UpstreamEnvironment {
  helpers: Record<string, Helper>
  decorators: Record<string, unknown>
  SafeString: new (value: string) => object
  registerHelper(name: string, helper: Helper): void
  unregisterHelper(name: string): void
  registerPartial(name: string, partial: string | Template): void
  parse: typeof parse
  Compiler: typeof Compiler
  JavaScriptCompiler: new () => { compile(program: OpcodeProgram, options: CompileOptions): object }
  compile(source: string, options?: CompileOptions): Template
}

/** Compiler revision 8: the calling convention of runtimes since 4.3.0, which the closures follow. */
const COMPILER_INFO = [8, '>= 4.3.0']

/** An environment of its own: helpers and partials registered here are seen nowhere else. */
export function createEnvironment(): Environment {
  const upstream = runtime.create()
  const budget = new Budget()
  // It writes what it is given, personal data too, to the log.
  upstream.unregisterHelper('log')
  upstream.parse = parse
  upstream.Compiler = Compiler
  upstream.JavaScriptCompiler = class {
    compile(program: OpcodeProgram, options: CompileOptions): object {
      return templateSpec(program, options, budget)
    }
  }
  // Partials registered as source are compiled by the runtime through this same property.
  upstream.compile = (source, options) => {
    if (typeof source !== 'string') throw new TypeError('a template must be a string')
    return compile(source, { ...options, knownHelpers: { log: false, ...options?.knownHelpers } }, upstream)
  }
  return {
    compile: upstream.compile,
    prepare: (source, options) => prepare(upstream, source, options),
    parse,
    registerHelper: (name, helper) => upstream.registerHelper(name, helper),
    registerPartial: (name, partial) => upstream.registerPartial(name, partial),
    helpers: upstream.helpers,
    SafeString: upstream.SafeString,
  }
}

/**
 * The runtime takes a template that is called as a partial as it is, with what its caller has set up; for others it wraps
 * every helper again for every render, which is more work than filling in a newsletter.
 */
function prepare(
  upstream: UpstreamEnvironment,
  source: string,
  { noEscape, partials }: Parameters<Environment['prepare']>[1],
): ReturnType<Environment['prepare']> {
  const { helperMissing, blockHelperMissing, ...helpers } = upstream.helpers
  const knownHelpers = Object.fromEntries(Object.keys(helpers).map((name) => [name, true]))
  const compile = (source: string) => upstream.compile(source, { noEscape, knownHelpers, knownHelpersOnly: true })
  const compiled: Record<string, Template> = Object.create(null)
  for (const [name, source] of Object.entries(partials)) compiled[name] = compile(source)
  const environment = {
    partial: true,
    helpers,
    partials: compiled,
    decorators: upstream.decorators,
    hooks: { helperMissing, blockHelperMissing },
    protoAccessControl: createProtoAccessControl({
      allowProtoPropertiesByDefault: false,
      allowProtoMethodsByDefault: false,
    }),
  }
  const template = compile(source)
  return (context, variables) => template(context, { ...environment, data: { ...variables, root: context } })
}

/** A template in the form that Handlebars' runtime runs. */
function templateSpec(program: OpcodeProgram, options: CompileOptions, budget: Budget): object {
  const mains: Main[] = []
  const decorators: (Decorate | undefined)[] = []
  const emitted = emitProgram(program, options, { mains, decorators }, budget)
  const spec: Record<string, unknown> = {
    compiler: COMPILER_INFO,
    main: bounded(emitted.main, budget),
    compilerOptions: options,
    usePartial: program.usePartial,
    useData: options.data,
    useDepths: emitted.useDepths,
    useBlockParams: emitted.useBlockParams,
    compat: options.compat,
  }
  if (emitted.decorate) spec.main_d = emitted.decorate
  mains.forEach((main, index) => {
    spec[index] = main
    if (decorators[index]) spec[`${index}_d`] = decorators[index]
  })
  spec.useDecorators = Boolean(emitted.decorate) || decorators.some(Boolean)
  return spec
}

/** A render that failed half-way leaves the budget as it found it; the outermost one starts it anew. */
function bounded(main: Main, budget: Budget): Main {
  return (...args) => {
    const depth = budget.depth
    if (depth === 0) budget.restart()
    try {
      return main(...args)
    } finally {
      budget.depth = depth
    }
  }
}
