import { QuoteType, Tokenizer } from 'htmlparser2'

export interface Attribute {
  /** In lower case. */
  name: string
  start: number
  /** Just after the value's closing quote, or the name if there is no value. */
  end: number
  /** The raw value, without its quotes. */
  value_start: number
  value_end: number
  /** With entities decoded. */
  value: string
}

export interface StartTag {
  /** In lower case. */
  name: string
  /** From `<` to just after `>`. */
  start: number
  end: number
  attributes: Attribute[]
  self_closing: boolean
}

export interface Visitor {
  open?(tag: StartTag): void
  close?(name: string, start: number, end: number): void
  /** Decoded text, in pieces. */
  text?(text: string): void
  /** Any comment, from `<!--` to just after `-->`. What is inside a conditional one is visited, too. */
  comment?(start: number, end: number): void
  /** A tag or comment that the end of the text cuts off. */
  unfinished?(start: number): void
}

/** `<!--[if mso]>…<![endif]-->`: to Outlook this is markup. */
const CONDITIONAL = /^\[if [^\]]*\]>([\s\S]*)<!\[endif\]$/

/**
 * Walks through HTML and says where everything stands, so that changes can be spliced in at offsets: serialising a parsed
 * tree would move and rewrite what Handlebars put where HTML does not expect it.
 */
export function scanHtml(html: string, visitor: Visitor): void {
  scan(html, 0, html.length, visitor)
}

function scan(html: string, from: number, to: number, visitor: Visitor): void {
  let tag: StartTag | null = null
  let attribute: Attribute | null = null
  const finish = (end: number, self_closing: boolean) => {
    if (tag) visitor.open?.({ ...tag, end, self_closing })
    tag = null
  }
  const tokenizer = new Tokenizer(
    { decodeEntities: true },
    {
      onopentagname(start, end) {
        const name = html.slice(from + start, from + end).toLowerCase()
        tag = { name, start: from + start - 1, end: 0, attributes: [], self_closing: false }
      },
      onattribname(start, end) {
        const name = html.slice(from + start, from + end).toLowerCase()
        const at = from + end
        attribute = { name, start: from + start, end: at, value_start: at, value_end: at, value: '' }
      },
      onattribdata(start, end) {
        if (attribute) attribute.value += html.slice(from + start, from + end)
      },
      onattribentity(codepoint) {
        if (attribute) attribute.value += String.fromCodePoint(codepoint)
      },
      onattribend(quote, end) {
        if (!tag || !attribute) return
        if (quote !== QuoteType.NoValue) {
          attribute.value_start = startOfValue(html, attribute.end)
          attribute.end = from + end
          attribute.value_end = attribute.end - (quote === QuoteType.Unquoted ? 0 : 1)
        }
        tag.attributes.push(attribute)
        attribute = null
      },
      onopentagend: (end) => finish(from + end + 1, false),
      onselfclosingtag: (end) => finish(from + end + 1, true),
      onclosetag(start, end) {
        const close = html.indexOf('>', from + end)
        visitor.close?.(
          html
            .slice(from + start, from + end)
            .trim()
            .toLowerCase(),
          from + start - 2,
          close + 1,
        )
      },
      ontext: (start, end) => visitor.text?.(html.slice(from + start, from + end)),
      ontextentity: (codepoint) => visitor.text?.(String.fromCodePoint(codepoint)),
      oncomment(start, end, offset) {
        // `<?…>` and the like are comments to a browser, too; here they stay as they are.
        if (!html.startsWith('<!--', from + start - 4)) return
        const inner = html.slice(from + start, from + end - offset)
        if (offset === 0 && from + end === html.length) visitor.unfinished?.(from + start - 4)
        visitor.comment?.(from + start - 4, from + end + 1)
        const conditional = CONDITIONAL.exec(inner)
        if (!conditional) return
        const inside = conditional[1] ?? ''
        const begin = from + start + inner.length - '<![endif]'.length - inside.length
        scan(html, begin, begin + inside.length, visitor)
      },
      oncdata() {},
      ondeclaration() {},
      onprocessinginstruction() {},
      onend() {},
    },
  )
  tokenizer.write(html.slice(from, to))
  tokenizer.end()
  if (to < html.length) return
  const unfinished = (tag as StartTag | null)?.start ?? lastTag(html)
  if (unfinished !== null) visitor.unfinished?.(unfinished)
}

/** Where a tag begins of which the end of the text leaves only the name: the tokenizer says nothing of it. */
function lastTag(html: string): number | null {
  const at = html.lastIndexOf('<')
  return at > html.lastIndexOf('>') && /^<\/?[a-z]/i.test(html.slice(at, at + 3)) ? at : null
}

/** After an attribute's name: white space, `=`, white space and perhaps a quote. */
function startOfValue(html: string, after_name: number): number {
  const lead = /^\s*=\s*["']?/.exec(html.slice(after_name, after_name + 100))
  return after_name + (lead?.[0].length ?? 0)
}

/** Changes to a text, by offset. */
export class Splices {
  private readonly list: { start: number; end: number; text: string }[] = []

  replace(start: number, end: number, text: string): void {
    this.list.push({ start, end, text })
  }

  apply(source: string): string {
    let out = ''
    let from = 0
    for (const { start, end, text } of this.list.sort((a, b) => a.start - b.start || a.end - b.end)) {
      out += source.slice(from, start) + text
      from = end
    }
    return out + source.slice(from)
  }
}
