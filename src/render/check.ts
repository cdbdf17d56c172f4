import { beyondBounds } from './bounds.ts'
import { callProblems } from './calls.ts'
import type {
  BlockStatement,
  Expression,
  Hash,
  MustacheStatement,
  PartialStatement,
  Program,
  Statement,
  SubExpression,
} from './handlebars/ast.ts'
import { HELPER_NAMES, language } from './language.ts'
import { suggestion } from './nearest.ts'
import { lineAt, syntaxProblem } from './syntax.ts'

export interface SourceProblem {
  /** Counted from 1. */
  line?: number
  detail: string
}

export interface CheckedSource {
  problems: SourceProblem[]
  /** Null when it does not parse. */
  program: Program | null
}

/** Names in one path, `a.b.c` having three: data nests no deeper than 32 (plain.ts). */
const LONGEST_PATH = 50
/** NUL, and halves of surrogate pairs: no database and no mail can hold them. */
const UNPRINTABLE = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/

/**
 * Checks a Handlebars source the way an author wants it checked: when it is saved, not when the first mail fails. Beyond
 * the grammar that is: helpers that do not exist or are called wrongly, partials that are defined neither here nor
 * beside it, and decorators other than `inline`.
 *
 * @param partials - names of the partials that will be there when it is rendered
 */
export function checkSource(source: string, partials: Iterable<string> = []): CheckedSource {
  const unprintable = UNPRINTABLE.exec(source)
  if (unprintable) {
    const code = source.charCodeAt(unprintable.index).toString(16).toUpperCase().padStart(4, '0')
    const detail = `The character U+${code} cannot be in a mail.`
    return { problems: [{ line: lineAt(source, unprintable.index), detail }], program: null }
  }
  const beyond = beyondBounds(source)
  if (beyond) return { problems: [beyond], program: null }
  let program: Program
  try {
    program = language.parse(source)
  } catch (error) {
    return { problems: [syntaxProblem(source, error)], program: null }
  }
  const check = new Check(partials)
  check.program(program)
  return { problems: check.finish(), program }
}

class Check {
  private readonly problems: SourceProblem[] = []
  private readonly partials: Set<string>
  private readonly called: { name: string; line: number }[] = []
  private dynamic: number | null = null
  /** Block parameters in scope, which hide helpers of the same name. */
  private readonly named: string[] = []

  constructor(partials: Iterable<string>) {
    this.partials = new Set(partials)
  }

  program(program: Program | undefined): void {
    const names = program?.blockParams ?? []
    this.named.push(...names)
    for (const statement of program?.body ?? []) this.statement(statement)
    this.named.length -= names.length
  }

  finish(): SourceProblem[] {
    for (const { name, line } of this.called) {
      if (name === '@partial-block' || this.partials.has(name)) continue
      this.problems.push({ line, detail: `There is no partial named "${name}".${suggestion(name, this.partials)}` })
    }
    if (this.dynamic !== null && this.partials.size === 0) {
      this.problems.push({ line: this.dynamic, detail: 'There are no partials of which one could be chosen.' })
    }
    return this.problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
  }

  private statement(statement: Statement): void {
    switch (statement.type) {
      case 'MustacheStatement':
      case 'BlockStatement':
        this.call(statement)
        break
      case 'Decorator':
      case 'DecoratorBlock':
        this.decorator(statement)
        break
      case 'PartialStatement':
      case 'PartialBlockStatement':
        this.partial(statement)
        break
    }
    if ('program' in statement) this.program(statement.program)
    if ('inverse' in statement) this.program(statement.inverse)
  }

  private call(call: MustacheStatement | BlockStatement | SubExpression): void {
    const { path, params, hash, loc } = call
    const name = path.type === 'PathExpression' ? path.original : String(path.original)
    const arguments_given = params.length > 0 || hash !== undefined
    this.expression(path)
    this.arguments(params, hash)
    if (this.named.includes(name)) {
      if (!arguments_given && call.type !== 'SubExpression') return
      this.problems.push({ line: loc.start.line, detail: `"${name}" is a block parameter here, not a helper.` })
    } else if (arguments_given || call.type === 'SubExpression' || callsHelper(call, name)) {
      for (const detail of callProblems(call, name)) this.problems.push({ line: loc.start.line, detail })
    } else if (call.type === 'BlockStatement' && !('open' in call.openStrip)) {
      this.problems.push({ line: loc.start.line, detail: `Raw blocks are written {{{{raw}}}}, not {{{{${name}}}}}.` })
    }
  }

  private arguments(params: Expression[], hash: Hash | undefined): void {
    for (const param of params) this.expression(param)
    for (const pair of hash?.pairs ?? []) this.expression(pair.value)
  }

  private expression(expression: Expression): void {
    if (expression.type === 'SubExpression') this.call(expression)
    if (expression.type === 'PathExpression' && expression.parts.length > LONGEST_PATH) {
      const detail = `A path has at most ${LONGEST_PATH} names.`
      this.problems.push({ line: expression.loc.start.line, detail })
    }
  }

  private decorator(decorator: MustacheStatement | BlockStatement): void {
    const { path, params, loc } = decorator
    const name = String(path.original)
    const [param] = params
    if (name !== 'inline' || decorator.type !== 'DecoratorBlock') {
      this.problems.push({ line: loc.start.line, detail: `Decorators such as "${name}" are not allowed.` })
    } else if (param?.type === 'StringLiteral') {
      this.partials.add(String(param.value))
    } else {
      this.problems.push({ line: loc.start.line, detail: 'An inline partial needs a name in quotes.' })
    }
  }

  private partial(partial: PartialStatement): void {
    const { name, params, hash, loc } = partial
    if (name.type === 'SubExpression') {
      this.call(name)
      this.dynamic ??= loc.start.line
    } else if (partial.type === 'PartialStatement') {
      this.called.push({ name: String(name.original), line: loc.start.line })
    }
    if (params.length > 1) {
      this.problems.push({ line: loc.start.line, detail: 'A partial takes one context and named arguments.' })
    }
    this.arguments(params, hash)
  }
}

/** `{{date}}` calls the helper, even where the data has a date; `{{this.date}}` does not. */
function callsHelper({ path }: MustacheStatement | BlockStatement | SubExpression, name: string): boolean {
  if (path.type !== 'PathExpression') return HELPER_NAMES.has(name)
  return !path.data && path.depth === 0 && path.parts.length === 1 && path.parts[0] === name && HELPER_NAMES.has(name)
}
