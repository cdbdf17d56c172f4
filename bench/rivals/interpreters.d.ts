// Neither package has types of its own that can be found.

declare module '@langtail/handlebars-evalless' {
  type Render = (data: object, options: object) => string
  /** What bundlers make of its CommonJS: the default export lies one level down. */
  const module: { default: { create(): { compileAST(source: string, options: object): Render } } }
  export default module
}

declare module 'workers-hbs' {
  /** Parses the source every time: its own `compile` does not work in this release. */
  export function render(source: string, data: object, options: object, compile_options: object): string
}
