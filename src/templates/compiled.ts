/**
 * A template as it is kept: made once at save, from then on only read.
 *
 * `html` and `text` are Handlebars sources. Each tracked link stands in them as `{{{@links.N}}}` (N as in `links`), the
 * open pixel as `{{{@pixel}}}`; a snapshot replaces both by signed addresses, once per campaign (campaigns/snapshot.ts).
 */
export interface CompiledTemplate {
  html: string
  text: string
  links: TemplateLink[]
  variables: string[]
  warnings: TemplateWarning[]
}

export interface TemplateLink {
  /** Counted from 1 in the order of first appearance; the same URL twice is two links. */
  n: number
  url: string
  /** What the reader sees: the link's text, or the image's alt text. */
  text: string
}

export interface TemplateWarning {
  code: string
  detail: string
  line?: number
}
