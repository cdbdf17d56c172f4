declare module 'mjml-browser' {
  export interface MjmlError {
    line: number
    message: string
    tagName: string
  }

  /** With validationLevel strict it throws an Error that carries `errors`. */
  export default function mjml2html(
    source: string,
    options: { validationLevel: 'strict' | 'soft' },
  ): Promise<{ html: string; errors: MjmlError[] }>
}
