// The tree that Handlebars' own parser makes, as far as we read it.

export interface Location {
  start: { line: number; column: number }
  end: { line: number; column: number }
}

interface Node<Type extends string> {
  type: Type
  loc: Location
}

export interface Program extends Node<'Program'> {
  body: Statement[]
  blockParams?: string[]
}

export interface Hash extends Node<'Hash'> {
  pairs: { key: string; value: Expression }[]
}

/** What every call has in common: a name, its arguments and its named arguments. */
interface Call {
  path: PathExpression | Literal
  params: Expression[]
  hash?: Hash
}

export interface MustacheStatement extends Node<'MustacheStatement' | 'Decorator'>, Call {
  escaped: boolean
}

export interface BlockStatement extends Node<'BlockStatement' | 'DecoratorBlock'>, Call {
  program?: Program
  inverse?: Program
  /** Empty for raw blocks, `{{{{name}}}}`. */
  openStrip: { open?: boolean }
}

export interface PartialStatement extends Node<'PartialStatement' | 'PartialBlockStatement'> {
  name: PathExpression | SubExpression | Literal
  params: Expression[]
  hash?: Hash
  program?: Program
}

export interface ContentStatement extends Node<'ContentStatement' | 'CommentStatement'> {
  value: string
}

export interface SubExpression extends Node<'SubExpression'>, Call {}

export interface PathExpression extends Node<'PathExpression'> {
  data: boolean
  depth: number
  parts: string[]
  original: string
}

export interface Literal
  extends Node<'StringLiteral' | 'NumberLiteral' | 'BooleanLiteral' | 'UndefinedLiteral' | 'NullLiteral'> {
  value?: string | number | boolean | null
  original?: string | number | boolean | null
}

export type Statement = MustacheStatement | BlockStatement | PartialStatement | ContentStatement
export type Expression = SubExpression | PathExpression | Literal
