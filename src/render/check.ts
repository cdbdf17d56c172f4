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
import { nestedTooDeep } from './nesting.ts'
import { syntaxProblem } from './syntax.ts'

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

/**
 * Checks a Handlebars source the way an author wants it checked: when it is saved, not when the first mail fails. Beyond
 * the grammar that is: helpers that do not exist, partials that are not defined in the source itself, partials whose
 * name comes from data, and decorators other than `inline`.
 */
export function checkSource(source: string): CheckedSource {
  const nested = nestedTooDeep(source)
  if (nested) return { problems: [nested], program: null }
  let program: Program
  try {
    program = language.parse(source)
  } catch (error) {
    return { problems: [syntaxProblem(source, error)], program: null }
  }
  const check = new Check()
  check.program(program)
  return { problems: check.finish(), program }
}

class Check {
  private readonly problems: SourceProblem[] = []
  private readonly inlined = new Set<string>(['@partial-block'])
  private readonly called: { name: string; line: number }[] = []

  program(program: Program | undefined): void {
    for (const statement of program?.body ?? []) this.statement(statement)
  }

  finish(): SourceProblem[] {
    for (const { name, line } of this.called) {
      if (!this.inlined.has(name)) this.problems.push({ line, detail: `There is no partial named "${name}".` })
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
    const called = params.length > 0 || hash !== undefined || call.type === 'SubExpression'
    if (called) {
      const name = path.type === 'PathExpression' ? path.original : String(path.original)
      if (!HELPER_NAMES.has(name)) {
        this.problems.push({ line: loc.start.line, detail: `There is no helper named "${name}".` })
      }
    } else {
      this.expression(path)
    }
    this.arguments(params, hash)
  }

  private arguments(params: Expression[], hash: Hash | undefined): void {
    for (const param of params) this.expression(param)
    for (const pair of hash?.pairs ?? []) this.expression(pair.value)
  }

  private expression(expression: Expression): void {
    if (expression.type === 'SubExpression') this.call(expression)
  }

  private decorator(decorator: MustacheStatement | BlockStatement): void {
    const { path, params, loc } = decorator
    const name = String(path.original)
    const [param] = params
    if (name !== 'inline' || decorator.type !== 'DecoratorBlock') {
      this.problems.push({ line: loc.start.line, detail: `Decorators such as "${name}" are not allowed.` })
    } else if (param?.type === 'StringLiteral') {
      this.inlined.add(String(param.value))
    } else {
      this.problems.push({ line: loc.start.line, detail: 'An inline partial needs a name in quotes.' })
    }
  }

  private partial(partial: PartialStatement): void {
    const { name, params, hash, loc } = partial
    if (name.type === 'SubExpression') {
      this.problems.push({ line: loc.start.line, detail: 'A partial must be named outright, not by an expression.' })
    } else if (partial.type === 'PartialStatement') {
      this.called.push({ name: String(name.original), line: loc.start.line })
    }
    this.arguments(params, hash)
  }
}
