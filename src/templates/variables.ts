import type { Expression, Hash, PathExpression, Program, Statement } from '../render/handlebars/ast.ts'
import { HELPER_NAMES } from '../render/language.ts'

/** What a path means inside a block: the path of the block's context, null where that cannot be told, and named parameters. */
interface Scope {
  context: string | null
  names: ReadonlyMap<string, string | null>
  parent: Scope | null
}

export interface UsedVariable {
  /** `first_name`, `attributes.plan`; `attributes.items[].name` for what is read of each element. */
  path: string
  /** Counted from 1. */
  line: number
  /** Printed without HTML escaping. */
  unescaped: boolean
}

/** Finds the data that a template reads, in order of appearance. Data variables such as `@index` are not data. */
export function usedVariables(program: Program): UsedVariable[] {
  const used: UsedVariable[] = []
  const root: Scope = { context: '', names: new Map(), parent: null }

  function body(program: Program | undefined, scope: Scope): void {
    for (const statement of program?.body ?? []) visit(statement, scope)
  }

  function visit(statement: Statement, scope: Scope): void {
    switch (statement.type) {
      case 'MustacheStatement': {
        const { path, params, hash, escaped } = statement
        if (params.length === 0 && !hash) read(path, scope, !escaped)
        operands(params, hash, scope)
        return
      }
      case 'BlockStatement': {
        const { path, params, hash, program, inverse } = statement
        const name = String(path.original)
        if (params.length === 0 && !hash) read(path, scope, false)
        operands(params, hash, scope)
        body(program, inside(name, params.length === 0 ? path : params[0], program, scope))
        body(inverse, scope)
        return
      }
      case 'PartialStatement':
      case 'PartialBlockStatement':
        operands(statement.params, statement.hash, scope)
        body(statement.program, scope)
        return
      case 'DecoratorBlock':
        // What an inline partial reads depends on where it is called.
        body(statement.program, { context: null, names: new Map(), parent: scope })
    }
  }

  function operands(params: Expression[], hash: Hash | undefined, scope: Scope): void {
    for (const param of params) read(param, scope, false)
    for (const pair of hash?.pairs ?? []) read(pair.value, scope, false)
  }

  function read(expression: Expression, scope: Scope, unescaped: boolean): void {
    if (expression.type === 'SubExpression') {
      operands(expression.params, expression.hash, scope)
      return
    }
    if (expression.type !== 'PathExpression') return
    const path = resolve(expression, scope)
    if (path) used.push({ path, line: expression.loc.start.line, unescaped })
  }

  body(program, root)
  return used
}

/** The scope of a block's body: each, with and plain sections change the context, other helpers do not. */
function inside(name: string, subject: Expression | undefined, program: Program | undefined, scope: Scope): Scope {
  if (HELPER_NAMES.has(name) && name !== 'each' && name !== 'with') return scope
  const path = subject?.type === 'PathExpression' ? resolve(subject, scope) : null
  const context = path === null || name === 'with' ? path : `${path}[]`
  const [first, ...others] = program?.blockParams ?? []
  const names = new Map(others.map((other): [string, null] => [other, null]))
  return { context, names: first === undefined ? names : new Map([...names, [first, context]]), parent: scope }
}

/** @returns null for data variables and for what cannot be told, an empty string for the data as a whole */
function resolve({ data, depth, parts, original }: PathExpression, scope: Scope): string | null {
  if (data) return parts[0] === 'root' ? parts.slice(1).join('.') : null
  const [first] = parts
  if (depth === 0 && first !== undefined && !original.startsWith('this') && !original.startsWith('.')) {
    for (let at: Scope | null = scope; at; at = at.parent) {
      if (!at.names.has(first)) continue
      const named = at.names.get(first) ?? null
      return named === null ? null : [named, ...parts.slice(1)].join('.')
    }
  }
  let at: Scope | null = scope
  for (let level = 0; level < depth && at; level++) at = at.parent
  if (!at || at.context === null) return null
  return [at.context, ...parts].filter((part) => part !== '').join('.')
}
