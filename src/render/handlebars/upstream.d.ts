// The parts of handlebars 4.7 that we build on, taken one by one: its main entry brings the back end that generates
// source text and Node's fs, neither of which may be in a Worker.

declare module 'handlebars/dist/cjs/handlebars.runtime.js' {
  interface Runtime {
    create(): import('./environment.ts').UpstreamEnvironment
  }
  const runtime: Runtime
  export default runtime
}

declare module 'handlebars/dist/cjs/handlebars/compiler/base.js' {
  export function parse(source: string, options?: object): import('./ast.ts').Program
}

declare module 'handlebars/dist/cjs/handlebars/compiler/compiler.js' {
  export class Compiler {
    compile(program: import('./ast.ts').Program, options: object): import('./opcodes.ts').OpcodeProgram
  }
  export function compile(
    source: string,
    options: object,
    environment: import('./environment.ts').UpstreamEnvironment,
  ): import('./environment.ts').Template
}

declare module 'handlebars/dist/cjs/handlebars/internal/proto-access.js' {
  export function createProtoAccessControl(options: {
    allowProtoPropertiesByDefault: boolean
    allowProtoMethodsByDefault: boolean
  }): object
}
