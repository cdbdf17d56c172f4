import type { Location } from './ast.ts'

// What Handlebars' opcode compiler hands to its back end (compiler.js of 4.7): a stack machine's instructions.

interface Op<Name extends string, Args extends readonly unknown[]> {
  opcode: Name
  args: Args
  loc: Location
}

type ProgramId = number | undefined | null

export type Opcode =
  | Op<'appendContent', [content: string]>
  | Op<'append' | 'appendEscaped', []>
  | Op<'getContext', [depth: number]>
  | Op<'pushContext', []>
  | Op<'lookupOnContext', [parts: string[], falsy: boolean | undefined, strict: boolean | undefined, scoped: boolean]>
  | Op<'lookupBlockParam', [id: [depth: number, index: number], parts: string[]]>
  | Op<'lookupData', [depth: number, parts: string[], strict: boolean | undefined]>
  | Op<'resolvePossibleLambda', []>
  | Op<'pushString', [value: string]>
  | Op<'pushLiteral', [value: number | boolean | 'undefined' | 'null']>
  | Op<'emptyHash', [omit?: boolean]>
  | Op<'pushHash' | 'popHash', []>
  | Op<'assignToHash', [key: string]>
  | Op<'pushProgram', [id: ProgramId]>
  | Op<'invokeHelper', [params: number, name: string, simple: boolean]>
  | Op<'invokeKnownHelper', [params: number, name: string]>
  | Op<'invokeAmbiguous', [name: string, block: boolean]>
  | Op<'blockValue', [name: string]>
  | Op<'ambiguousBlockValue', []>
  | Op<'invokePartial', [dynamic: boolean, name: string, indent: string]>
  | Op<'registerDecorator', [params: number, name: string]>

/** One block's instructions; the opcode compiler's own object, which is why the fields are as they are. */
export interface OpcodeProgram {
  opcodes: Opcode[]
  children: OpcodeProgram[]
  /** The body is one statement, whose value is handed on as it is, not as a string. */
  isSimple: boolean
  /** How many block parameters it declares. */
  blockParams: number
  useDepths?: boolean
  usePartial?: boolean
  useDecorators?: boolean
}

/** Handlebars' documented compile options. */
export interface CompileOptions {
  data?: boolean
  noEscape?: boolean
  strict?: boolean
  assumeObjects?: boolean
  compat?: boolean
  knownHelpers?: Record<string, boolean>
  knownHelpersOnly?: boolean
  preventIndent?: boolean
  explicitPartialContext?: boolean
  ignoreStandalone?: boolean
}
