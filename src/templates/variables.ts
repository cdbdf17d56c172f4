import { checkSource } from '../render/check.ts'
import type { BlockStatement, Expression, Hash, PathExpression, Program, Statement } from '../render/handlebars/ast.ts'
import { HELPER_NAMES } from '../render/language.ts'
import type { TemplateVariable } from './compiled.ts'

/** What a path means inside a block: the path of the block's context, null where that cannot be told, and named parameters. */
interface Scope {
  context: string | null
  names: ReadonlyMap<string, string | null>
  parent: Scope | null
  /** The innermost block as its author wrote it; null outside of all. */
  block: string | null
  /** What the conditions of the blocks around it ask for: inside, it is there. */
  given: ReadonlySet<string>
}

export interface UsedVariable {
  /** `first_name`, `attributes.plan`; `attributes.items[].name` for what is read of each element. */
  path: string
  /** Counted from 1. */
  line: number
  /** The block it is read in, as in `#if attributes.plan`; null outside of all. */
  inside: string | null
  /** Printed without HTML escaping. */
  unescaped: boolean
  /** A mail without it has a gap there: it is printed, with nothing to stand in for it and no condition around it. */
  needed: boolean
}

/** Helpers that print something else in place of what is empty. */
const STAND_INS = new Set(['default', 'or'])
/** Blocks that show their body only where their condition, or list, is there. */
const CONDITIONS = new Set(['if', 'with', 'each'])

/**
 * Finds the data that a template reads, in order of appearance. Data variables such as `@index` are not data.
 *
 * @param source - what the program was parsed from: it says how blocks are written
 */
export function usedVariables(program: Program, source: string): UsedVariable[] {
  const used: UsedVariable[] = []
  const lines = source.split('\n')
  const inlined = new Map<string, Program>()
  /** Names of the inline partials that are being walked, so that one which calls itself ends. */
  const walking = new Set<string>()

  function body(program: Program | undefined, scope: Scope): void {
    for (const statement of program?.body ?? []) {
      const { type } = statement
      const [name] = type === 'DecoratorBlock' ? statement.params : []
      if (type === 'DecoratorBlock' && name?.type === 'StringLiteral' && statement.program) {
        inlined.set(String(name.value), statement.program)
      }
    }
    for (const statement of program?.body ?? []) visit(statement, scope)
  }

  function visit(statement: Statement, scope: Scope): void {
    switch (statement.type) {
      case 'MustacheStatement': {
        const { path, params, hash, escaped } = statement
        if (params.length === 0 && !hash) read(path, scope, !escaped, true)
        operands(params, hash, scope, !STAND_INS.has(String(path.original)))
        return
      }
      case 'BlockStatement': {
        const { path, params, hash, program, inverse } = statement
        const name = String(path.original)
        const block = opening(statement, lines)
        const subject = params.length === 0 ? path : params[0]
        if (params.length === 0 && !hash && !HELPER_NAMES.has(name)) read(path, scope, false)
        operands(params, hash, scope)
        const asked = new Set([...scope.given, ...pathsIn(params.length === 0 ? [path] : params, scope)])
        const shown = CONDITIONS.has(name) || !HELPER_NAMES.has(name) ? asked : scope.given
        body(program, { ...inside(name, subject, program, scope), block, given: shown })
        body(inverse, { ...scope, block: `else of ${block}`, given: name === 'unless' ? asked : scope.given })
        return
      }
      case 'PartialStatement':
      case 'PartialBlockStatement': {
        const { name, params, hash, program } = statement
        operands(params, hash, scope)
        body(program, scope)
        const called = name.type === 'SubExpression' ? '' : String(name.original)
        const partial = inlined.get(called)
        if (!partial || walking.has(called)) return
        walking.add(called)
        body(partial, argumentsOf(params, hash, scope))
        walking.delete(called)
      }
    }
  }

  /** What an inline partial reads depends on where it is called, and with what. */
  function argumentsOf([context]: Expression[], hash: Hash | undefined, scope: Scope): Scope {
    const given = (hash?.pairs ?? []).map(({ key, value }): [string, string | null] => {
      return [key, value.type === 'PathExpression' ? resolve(value, scope) : null]
    })
    const names = new Map([...scope.names, ...given])
    if (!context) return { ...scope, names }
    const path = context.type === 'PathExpression' ? resolve(context, scope) : null
    return { ...scope, context: path, names }
  }

  function operands(params: Expression[], hash: Hash | undefined, scope: Scope, printed = false): void {
    for (const param of params) read(param, scope, false, printed)
    for (const pair of hash?.pairs ?? []) read(pair.value, scope, false, printed)
  }

  function read(expression: Expression, scope: Scope, unescaped: boolean, printed = false): void {
    if (expression.type === 'SubExpression') {
      const { path, params, hash } = expression
      operands(params, hash, scope, printed && !STAND_INS.has(String(path.original)))
      return
    }
    if (expression.type !== 'PathExpression') return
    const path = resolve(expression, scope)
    if (!path) return
    const [list = path] = path.split('[]')
    const needed = printed && !scope.given.has(path) && !scope.given.has(list)
    used.push({ path, line: expression.loc.start.line, inside: scope.block, unescaped, needed })
  }

  function pathsIn(expressions: Expression[], scope: Scope): string[] {
    return expressions.flatMap((expression) => {
      if (expression.type === 'SubExpression') return pathsIn(expression.params, scope)
      return expression.type === 'PathExpression' ? (resolve(expression, scope) ?? []) : []
    })
  }

  body(program, { context: '', names: new Map(), parent: null, block: null, given: new Set() })
  return used
}

/** The longest that is shown of a block's first tag. */
const OPENING = 100

/** `{{#if (eq plan "pro")}}` as `#if (eq plan "pro")`; `{{else if …}}` as `else if …`. */
function opening({ loc, path }: BlockStatement, lines: readonly string[]): string {
  const written = lines[loc.start.line - 1]?.slice(loc.start.column) ?? ''
  const tag = /^\{\{~?\s*([^{}]*?)\s*~?\}\}/.exec(written)
  return (tag?.[1] ?? `#${path.original}`).slice(0, OPENING)
}

/** The scope of a block's body: each, with and plain sections change the context, other helpers do not. */
function inside(name: string, subject: Expression | undefined, program: Program | undefined, scope: Scope): Scope {
  if (HELPER_NAMES.has(name) && name !== 'each' && name !== 'with') return scope
  const path = subject?.type === 'PathExpression' ? resolve(subject, scope) : null
  const context = path === null || name === 'with' ? path : `${path}[]`
  const [first, ...others] = program?.blockParams ?? []
  const names = new Map<string, string | null>(others.map((other) => [other, null]))
  if (first !== undefined) names.set(first, context)
  return { context, names, parent: scope, block: scope.block, given: scope.given }
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

/** Lines and entries that are kept: a template has dozens, and a thousand say no more. */
const MOST_LINES = 100
const MOST_VARIABLES = 1000

/** One entry for each variable and block that it is read in, by name. */
export function summarize(used: readonly (UsedVariable & Pick<TemplateVariable, 'field'>)[]): TemplateVariable[] {
  const entries = new Map<string, TemplateVariable>()
  for (const { path: name, field, line, inside } of used) {
    const key = JSON.stringify([name, field, inside])
    const entry = entries.get(key) ?? { name, field, lines: [], inside }
    if (entry.lines.length < MOST_LINES && !entry.lines.includes(line)) entry.lines.push(line)
    entries.set(key, entry)
  }
  const order = (a: string, b: string) => Number(a > b) - Number(a < b)
  return [...entries.values()].sort((a, b) => order(a.name, b.name)).slice(0, MOST_VARIABLES)
}

/** What a source cannot do without (`needed`), by name; nothing if it is not valid. */
export function neededIn(source: string): string[] {
  const { program } = checkSource(source)
  if (!program) return []
  return usedVariables(program, source).flatMap(({ path, needed }) => (needed ? [path] : []))
}

/** The data that a line of text reads, such as a subject; nothing if it is not valid. */
export function namesIn(source: string): { name: string }[] {
  const { program } = checkSource(source)
  return program ? usedVariables(program, source).map(({ path }) => ({ name: path })) : []
}
