/** Gmail shows no more of a mail's HTML than this many bytes, and what it hides is the end: the unsubscribe link. */
export const CLIPPED = 102 * 1024

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
  variables: TemplateVariable[]
  warnings: TemplateWarning[]
  /** What went into it, with the versions of that moment. */
  partials: { id: number; name: string; version: number }[]
}

/** Data that a template reads: one entry for each block that it is read in. */
export interface TemplateVariable {
  /** `first_name`, `attributes.plan`; `attributes.items[].name` for what is read of each element. */
  name: string
  field: 'source' | 'text_source'
  /** Lines of that field, counted from 1; for what stands in a partial, of the tag that calls it. */
  lines: number[]
  /** The innermost block around it, as in `#if attributes.plan` or `else of #if attributes.plan`; null outside of all. */
  inside: string | null
}

export interface TemplateLink {
  /** Counted from 1 in the order of first appearance; the same URL twice is two links. */
  n: number
  /** With its Handlebars tags, where it holds variables. */
  url: string
  /**
   * Only of addresses that hold variables: scheme and host where the author wrote them out, null where variables supply
   * them. Such links are signed when they are rendered, the others once per campaign.
   */
  origin?: string | null
  /** What the reader sees: the link's text, or the image's alt text. */
  text: string
}

export interface TemplateWarning {
  code: string
  detail: string
  line?: number
  /** Which source the line is of; `source` unless it says otherwise. */
  field?: 'source' | 'text_source'
}
