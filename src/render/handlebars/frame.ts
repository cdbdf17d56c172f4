import type { Location } from './ast.ts'

/** A helper as a template calls it: `this` is the context, the last argument the options. */
export type Helper = (this: unknown, ...args: unknown[]) => unknown

/** A block's body as helpers call it. */
export type Body = (context: unknown, options?: { data?: unknown; blockParams?: unknown[] }) => unknown

export interface HelperOptions {
  name: string
  hash: Record<string, unknown> | undefined
  fn?: Body
  inverse?: Body
  args?: unknown[]
  data: unknown
  blockParams: unknown
  loc: Location
  lookupProperty: Container['lookupProperty']
  /** Ours: counts work that a helper's result does not show against the bound of the render (budget.ts). */
  spend(steps: number): void
}

/** What Handlebars' runtime gives a compiled template to work with (runtime.js of 4.7). */
export interface Container {
  lookupProperty(parent: unknown, name: string): unknown
  strict(parent: unknown, name: string, loc: Location): unknown
  lookup(depths: readonly unknown[] | undefined, name: string): unknown
  lambda(value: unknown, context: unknown): unknown
  escapeExpression(value: unknown): string
  data(value: unknown, depth: number): unknown
  program(
    index: number,
    data: unknown,
    declared: number,
    blockParams?: readonly unknown[],
    depths?: readonly unknown[],
  ): Body
  invokePartial(partial: unknown, context: unknown, options: object): string
  noop: Body
  nullContext: object
  helpers: object
  partials: object
  decorators: object
  hooks: { helperMissing: Helper; blockHelperMissing: Helper }
}

/** One run of one block. */
export interface Frame {
  readonly container: Container
  readonly context: unknown
  readonly helpers: object
  readonly partials: object
  readonly data: unknown
  readonly blockParams: readonly (readonly unknown[])[] | undefined
  readonly depths: readonly unknown[] | undefined
  /** Options of the ambiguous block being decided: made before the decision, used after it. */
  options: HelperOptions | undefined
}

export type Read = (frame: Frame) => unknown

/** A compiled block in the form the runtime calls. */
export type Main = (
  container: Container,
  context: unknown,
  helpers: object,
  partials: object,
  data: unknown,
  blockParams: readonly (readonly unknown[])[] | undefined,
  depths: readonly unknown[] | undefined,
) => unknown

export type Decorate = (
  fn: unknown,
  props: object,
  container: Container,
  context: unknown,
  data: unknown,
  blockParams: readonly (readonly unknown[])[] | undefined,
  depths: readonly unknown[] | undefined,
) => unknown
