import { type Budget, MAX_LENGTH } from './budget.ts'
import { type Arguments, callHelper, optionsOf } from './call.ts'
import type { Decorate, Frame, Helper, Main, Read } from './frame.ts'
import { readPath, readStrictPath, readTruthyPath } from './lookup.ts'
import type { CompileOptions, Opcode, OpcodeProgram } from './opcodes.ts'

// The back end: Handlebars' opcodes in, closures out. The opcodes drive a stack, but only here, at compile time; what is
// left for rendering is a list of closures whose results are appended to one string. The whole instruction set stands in
// this file.

/** An entry of the compile-time stack. A fixed `undefined` is dropped from named arguments, as upstream does. */
interface Value {
  read: Read
  fixed?: 'undefined'
}

/** What all blocks of one template share. */
export interface Programs {
  mains: Main[]
  decorators: (Decorate | undefined)[]
}

export interface Emitted {
  main: Main
  decorate: Decorate | undefined
  useDepths: boolean
  useBlockParams: boolean
}

const NOTHING: Read = () => undefined
const NO_NAMED_ARGUMENTS: Read = () => ({})

/** Compiles one block and, before it, the blocks inside it. */
export function emitProgram(
  program: OpcodeProgram,
  options: CompileOptions,
  programs: Programs,
  budget: Budget,
): Emitted {
  return new Emitter(program, options, programs, budget).emit()
}

class Emitter {
  private readonly program: OpcodeProgram
  private readonly options: CompileOptions
  private readonly programs: Programs
  private readonly budget: Budget
  private readonly stack: Value[] = []
  private readonly hashes: Map<string, Value>[] = []
  private readonly decorators: ((frame: Frame, fn: unknown, props: object) => unknown)[] = []
  /** Output: texts[0], then reads[i] and texts[i + 1] in turn. */
  private readonly texts: string[] = ['']
  private readonly reads: Read[] = []
  private readonly indexes: number[] = []
  private lastContext = 0
  private useDepths: boolean
  private useBlockParams = false
  private helperOfBlock: Read = NOTHING

  constructor(program: OpcodeProgram, options: CompileOptions, programs: Programs, budget: Budget) {
    this.program = program
    this.options = options
    this.programs = programs
    this.budget = budget
    this.useDepths = Boolean(program.useDepths || program.useDecorators || options.compat)
  }

  emit(): Emitted {
    for (const child of this.program.children) this.emitChild(child)
    for (const opcode of this.program.opcodes) {
      const read = this.step(opcode)
      if (read) this.stack.push({ read })
    }
    if (this.stack.length > 0) throw new Error('opcodes left values on the stack')
    return {
      main: this.program.isSimple ? this.simpleMain() : this.main(),
      decorate: this.decorators.length > 0 ? this.decorate() : undefined,
      useDepths: this.useDepths,
      useBlockParams: this.useBlockParams,
    }
  }

  private emitChild(child: OpcodeProgram): void {
    const index = this.programs.mains.push(() => '') - 1
    this.indexes.push(index)
    const emitted = emitProgram(child, this.options, this.programs, this.budget)
    this.programs.mains[index] = emitted.main
    this.programs.decorators[index] = emitted.decorate
    this.useDepths ||= emitted.useDepths
    this.useBlockParams ||= emitted.useBlockParams
  }

  /** Carries out one instruction; what it returns goes on the stack. */
  private step(op: Opcode): Read | undefined {
    switch (op.opcode) {
      case 'appendContent':
        this.texts[this.texts.length - 1] += op.args[0]
        return
      case 'append':
        this.append(this.pop().read)
        return
      case 'appendEscaped': {
        const { read } = this.pop()
        this.append((frame) => frame.container.escapeExpression(read(frame)))
        return
      }
      case 'getContext':
        this.lastContext = op.args[0]
        return
      case 'pushContext':
        return this.context()
      case 'lookupOnContext': {
        const [parts, falsy, strict, scoped] = op.args
        const name = parts[0] ?? ''
        if (!scoped && this.options.compat && !this.lastContext) {
          const found: Read = (frame) => frame.container.lookup(frame.depths, name)
          return this.path(found, parts, 1, falsy, strict, op)
        }
        return this.path(this.context(), parts, 0, falsy, strict, op)
      }
      case 'lookupBlockParam': {
        const [[depth, index], parts] = op.args
        this.useBlockParams = true
        const param: Read = (frame) => frame.blockParams?.[depth]?.[index]
        return this.path(param, parts, 1, false, false, op)
      }
      case 'lookupData': {
        const [depth, parts, strict] = op.args
        const data: Read = depth ? (frame) => frame.container.data(frame.data, depth) : (frame) => frame.data
        return this.path(data, parts, 0, true, strict, op)
      }
      case 'resolvePossibleLambda': {
        const { read } = this.pop()
        return (frame) => {
          const value = read(frame)
          return typeof value === 'function' ? frame.container.lambda(value, frame.context) : value
        }
      }
      case 'pushString': {
        const value = op.args[0]
        return () => value
      }
      case 'pushLiteral': {
        const value = op.args[0] === 'null' ? null : op.args[0]
        if (value !== 'undefined') return () => value
        this.stack.push({ read: NOTHING, fixed: 'undefined' })
        return
      }
      case 'emptyHash':
        return op.args[0] ? NOTHING : NO_NAMED_ARGUMENTS
      case 'pushHash':
        this.hashes.push(new Map())
        return
      case 'assignToHash':
        this.hashes.at(-1)?.set(op.args[0], this.pop())
        return
      case 'popHash':
        return namedArguments(this.hashes.pop() ?? new Map())
      case 'pushProgram':
        return this.body(op.args[0])
      case 'invokeHelper': {
        const [params, name, simple] = op.args
        const other = this.pop().read
        const missing: Read = this.options.strict ? NOTHING : (frame) => frame.container.hooks.helperMissing
        const find: Read = simple
          ? (frame) => frame.container.lookupProperty(frame.helpers, name) || other(frame) || missing(frame)
          : (frame) => other(frame) || missing(frame)
        return callHelper(find, this.arguments(name, params, op))
      }
      case 'invokeKnownHelper': {
        const [params, name] = op.args
        const find: Read = (frame) => frame.container.lookupProperty(frame.helpers, name)
        return callHelper(find, this.arguments(name, params, op))
      }
      case 'invokeAmbiguous':
        return this.ambiguous(op.args[0], op.args[1], op)
      case 'blockValue': {
        const options = optionsOf(this.arguments(op.args[0], 0, op))
        const { read } = this.pop()
        return (frame) => {
          const value = read(frame)
          return frame.container.hooks.blockHelperMissing.call(frame.context, value, options(frame))
        }
      }
      case 'ambiguousBlockValue': {
        this.arguments('', 0, op)
        const { read } = this.pop()
        const helper = this.helperOfBlock
        return (frame) => {
          const value = read(frame)
          if (helper(frame)) return value
          return frame.container.hooks.blockHelperMissing.call(frame.context, value, frame.options)
        }
      }
      case 'invokePartial':
        return this.partial(op.args[0], op.args[1], op.args[2], op)
      case 'registerDecorator':
        this.decorator(op.args[0], op.args[1], op)
        return
      default:
        throw new Error(`unknown opcode ${String((op as { opcode: unknown }).opcode)}`)
    }
  }

  private pop(): Value {
    const value = this.stack.pop()
    if (value === undefined) throw new Error('opcodes took more from the stack than they put there')
    return value
  }

  private append(read: Read): void {
    this.reads.push(read)
    this.texts.push('')
  }

  private context(): Read {
    const depth = this.lastContext
    return depth ? (frame) => frame.depths?.[depth] : (frame) => frame.context
  }

  private path(
    base: Read,
    parts: string[],
    from: number,
    falsy: boolean | undefined,
    strict: boolean | undefined,
    op: Opcode,
  ): Read {
    if (this.options.strict || this.options.assumeObjects) {
      return readStrictPath(base, parts, from, Boolean(this.options.strict && strict), op.loc)
    }
    return falsy ? readTruthyPath(base, parts, from) : readPath(base, parts, from)
  }

  /** A nested block as the function that helpers call, or null where there is none. */
  private body(id: number | null | undefined): Read {
    if (id == null) return NO_BODY
    const index = this.indexes[id] ?? -1
    const declared = this.program.children[id]?.blockParams ?? 0
    if (this.useDepths) {
      return ({ container, data, blockParams, depths }) => container.program(index, data, declared, blockParams, depths)
    }
    if (this.useBlockParams) {
      return ({ container, data, blockParams }) => container.program(index, data, declared, blockParams)
    }
    return ({ container, data }) => container.program(index, data, declared)
  }

  /** Takes named arguments, both bodies and the arguments off the stack. */
  private arguments(name: string, count: number, op: Opcode): Arguments {
    const hash = this.pop().read
    const inverse = this.pop().read
    const program = this.pop().read
    const params: Read[] = []
    for (let i = 0; i < count; i++) params.unshift(this.pop().read)
    return {
      name,
      params,
      hash,
      program: program === NO_BODY ? null : program,
      inverse: inverse === NO_BODY ? null : inverse,
      data: Boolean(this.options.data),
      blockParams: this.useBlockParams,
      loc: op.loc,
      budget: this.budget,
    }
  }

  /** `{{name}}` or `{{#name}}`: a helper if one has that name when it is rendered, else a value. */
  private ambiguous(name: string, block: boolean, op: Opcode): Read {
    const other = this.pop().read
    this.stack.push({ read: NO_NAMED_ARGUMENTS })
    const options = optionsOf(this.arguments(name, 0, op))
    const helper: Read = (frame) => frame.container.lookupProperty(frame.helpers, name)
    const find: Read = this.options.strict
      ? (frame) => helper(frame) || other(frame)
      : (frame) => (helper(frame) || other(frame)) ?? frame.container.hooks.helperMissing
    if (!block) {
      return (frame) => {
        const found = find(frame)
        if (typeof found !== 'function') return found
        return (found as Helper).call(frame.context ?? frame.container.nullContext, options(frame))
      }
    }
    this.helperOfBlock = helper
    return (frame) => {
      const found = find(frame)
      const made = options(frame)
      frame.options = made
      if (typeof found !== 'function') return found
      const value = (found as Helper).call(frame.context ?? frame.container.nullContext, made)
      frame.options = made
      return value
    }
  }

  private partial(dynamic: boolean, name: string, indent: string, op: Opcode): Read {
    const call = this.arguments(name, 1, op)
    const options = optionsOf(call)
    const context = call.params[0] ?? NOTHING
    const compat = this.options.compat
    const { budget } = this
    const find: Read = dynamic ? this.pop().read : (frame) => frame.container.lookupProperty(frame.partials, name)
    return (frame) => {
      const { container, helpers, partials, depths } = frame
      const found = find(frame)
      const given = context(frame)
      const made = options(frame)
      // Named arguments are laid over a copy of the context.
      budget.spend(made.hash && given ? 1 + Object.keys(given).length : 1)
      const printed = container.invokePartial(found, given, {
        ...made,
        // A dynamic partial is named by its value: the runtime fills the name in.
        name: dynamic ? undefined : name,
        indent,
        helpers,
        partials,
        decorators: container.decorators,
        depths: compat ? depths : undefined,
      })
      budget.spendCharacters(printed.length)
      return printed
    }
  }

  /** `{{#*inline "name"}}`. Templates may not use other decorators: they would reach into the runtime. */
  private decorator(count: number, name: string, op: Opcode): void {
    if (name !== 'inline') throw new Error(`Decorator "${name}" is not allowed`)
    const call = this.arguments(name, count, op)
    const options = optionsOf(call)
    this.decorators.push((frame, fn, props) => {
      const { container } = frame
      const found = container.lookupProperty(container.decorators, name)
      if (typeof found !== 'function') throw new Error(`Missing decorator: "${name}"`)
      const args = call.params.map((read) => read(frame))
      return (found as Helper)(fn, props, container, { ...options(frame), args }) || fn
    })
  }

  private decorate(): Decorate {
    const { decorators } = this
    return (fn, props, container, context, data, blockParams, depths) => {
      const { helpers, partials } = container
      const frame = { container, context, helpers, partials, data, blockParams, depths, options: undefined }
      return decorators.reduce((decorated, decorator) => decorator(frame, decorated, props), fn)
    }
  }

  /**
   * Upstream joins a block's first values by `+` before any text makes a string of them, so that it prints the sum of two
   * numbers side by side in unescaped parts. Here they are printed.
   */
  private main(): Main {
    const { texts, reads, budget } = this
    const [head = '', ...tails] = texts.map(flat)
    const count = reads.length
    return (container, context, helpers, partials, data, blockParams, depths) => {
      budget.enter(count)
      const frame: Frame = { container, context, helpers, partials, data, blockParams, depths, options: undefined }
      let out = head
      for (let i = 0; i < count; i++) {
        const value = (reads[i] as Read)(frame)
        if (value != null) out += value as string
        out += tails[i]
        // Over it already: `leave` says so, before the rest fills the memory.
        if (out.length > MAX_LENGTH) break
      }
      budget.leave(out.length)
      return out
    }
  }

  /** A body of one statement hands its value on unchanged: `{{#helper}}{{{x}}}{{/helper}}` gives the helper x itself. */
  private simpleMain(): Main {
    const { texts, reads, budget } = this
    const read = reads[0]
    const text = flat(texts.join(''))
    if (read === undefined) {
      return () => {
        budget.enter(0)
        budget.leave(text.length)
        return text
      }
    }
    return (container, context, helpers, partials, data, blockParams, depths) => {
      budget.enter(1)
      const value = read({ container, context, helpers, partials, data, blockParams, depths, options: undefined })
      budget.leave(typeof value === 'string' ? value.length : 0)
      return text === '' ? (value ?? '') : text + (value ?? '')
    }
  }
}

const NO_BODY: Read = () => null

/**
 * The same text in one piece of memory. What the parser yields are views and ropes over the source, and every render
 * would walk them again when its output is turned into bytes (four times slower for a 60 KB mail).
 */
function flat(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string
}

/** Builds the object of named arguments. Upstream's order: last first, and of two with one name the first wins. */
function namedArguments(hash: ReadonlyMap<string, Value>): Read {
  const entries = [...hash].filter(([key, value]) => key !== '__proto__' && value.fixed !== 'undefined')
  return (frame) => {
    const made: Record<string, unknown> = {}
    for (const [key, value] of entries) made[key] = value.read(frame)
    return made
  }
}
