import type { Location } from './ast.ts'
import type { Budget } from './budget.ts'
import type { Body, Frame, Helper, HelperOptions, Read } from './frame.ts'

/** A call's arguments, as the opcodes left them on the stack. */
export interface Arguments {
  name: string
  params: readonly Read[]
  hash: Read
  program: Read | null
  inverse: Read | null
  /** Whether templates were compiled with data variables, and whether block parameters are in scope. */
  data: boolean
  blockParams: boolean
  loc: Location
  budget: Budget
}

/** Builds the options object that a helper gets as its last argument: a fresh one for every call. */
export function optionsOf(call: Arguments): (frame: Frame) => HelperOptions {
  const { name, hash, program, inverse, data, blockParams, loc, budget } = call
  const spend = (steps: number) => budget.spend(steps)
  if (!program && !inverse) {
    return (frame) => ({
      name,
      hash: hash(frame) as HelperOptions['hash'],
      data: data ? frame.data : undefined,
      blockParams: blockParams ? frame.blockParams : undefined,
      loc,
      lookupProperty: frame.container.lookupProperty,
      spend,
    })
  }
  return (frame) => ({
    name,
    hash: hash(frame) as HelperOptions['hash'],
    fn: program ? (program(frame) as Body) : frame.container.noop,
    inverse: inverse ? (inverse(frame) as Body) : frame.container.noop,
    data: data ? frame.data : undefined,
    blockParams: blockParams ? frame.blockParams : undefined,
    loc,
    lookupProperty: frame.container.lookupProperty,
    spend,
  })
}

/** Calls what `find` yields, arguments in order, options last. */
export function callHelper(find: Read, call: Arguments): Read {
  const options = optionsOf(call)
  const { params, name, budget } = call
  const [first, second] = params
  const steps = 1 + params.length
  const counted = (result: unknown) => {
    if (typeof result === 'string') budget.spendCharacters(result.length)
    return result
  }
  if (first === undefined) {
    return (frame) => {
      budget.spend(steps)
      const helper = callable(find(frame), name)
      return counted(helper.call(frame.context ?? frame.container.nullContext, options(frame)))
    }
  }
  if (second === undefined) {
    return (frame) => {
      budget.spend(steps)
      const helper = callable(find(frame), name)
      return counted(helper.call(frame.context ?? frame.container.nullContext, first(frame), options(frame)))
    }
  }
  return (frame) => {
    budget.spend(steps)
    const helper = callable(find(frame), name)
    const args = params.map((read) => read(frame))
    args.push(options(frame))
    return counted(helper.apply(frame.context ?? frame.container.nullContext, args))
  }
}

function callable(found: unknown, name: string): Helper {
  if (typeof found !== 'function') throw new Error(`"${name}" is not a helper`)
  return found as Helper
}
