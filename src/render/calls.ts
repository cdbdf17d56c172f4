import type { BlockStatement, Expression, Literal, MustacheStatement, SubExpression } from './handlebars/ast.ts'
import type { LiteralCheck, Signature } from './helpers/signature.ts'
import { SIGNATURES } from './helpers.ts'
import { suggestion } from './nearest.ts'

/** What is wrong with the call of a helper, as far as it can be told without data. */
export function callProblems(call: MustacheStatement | BlockStatement | SubExpression, name: string): string[] {
  const signature = SIGNATURES.get(name)
  if (!signature) return [`There is no helper named "${name}".${suggestion(name, SIGNATURES.keys())}`]
  const { params, hash } = call
  const block = call.type === 'BlockStatement'
  if (params.length === 0 && !hash && signature.least > 0) {
    const open = block ? '#' : ''
    return [`"${name}" is a helper and needs ${count(signature)}. A value of that name is {{${open}this.${name}}}.`]
  }
  if (block && signature.form === 'value') return [`"${name}" yields a value and has no body: write {{${name} …}}.`]
  if (!block && signature.form === 'block') return [`"${name}" is a block: write {{#${name} …}}…{{/${name}}}.`]
  const problems: string[] = []
  if (params.length < signature.least || params.length > signature.most) {
    problems.push(`"${name}" needs ${count(signature)}, not ${params.length}.`)
  }
  params.forEach((param, n) => {
    const wrong = literalProblem(param, signature.literals?.[n])
    if (wrong) problems.push(`Argument ${n + 1} of "${name}" ${wrong}.`)
  })
  for (const { key, value } of hash?.pairs ?? []) {
    if (!signature.named) continue
    const check = Object.hasOwn(signature.named, key) ? signature.named[key] : undefined
    if (!check) {
      const names = Object.keys(signature.named)
      problems.push(`"${name}" has no argument named "${key}".${suggestion(key, names)}`)
      continue
    }
    const wrong = literalProblem(value, check)
    if (wrong) problems.push(`${key} of "${name}" ${wrong}.`)
  }
  return problems
}

function literalProblem(expression: Expression, check: LiteralCheck | null | undefined): string | null {
  if (!check || expression.type === 'PathExpression' || expression.type === 'SubExpression') return null
  return check(literalValue(expression))
}

function literalValue(literal: Literal): string | number | boolean | null | undefined {
  if (literal.type === 'NullLiteral') return null
  if (literal.type === 'UndefinedLiteral') return undefined
  return literal.value
}

function count({ least, most }: Signature): string {
  if (least === most) return least === 1 ? 'one argument' : `${least} arguments`
  return `${least} to ${most} arguments`
}
