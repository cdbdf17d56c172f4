// The frame of every public page: no script, no picture, nothing from elsewhere, readable with styles off.

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Makes text safe in HTML content and in quoted attributes. */
export const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')

/** Contrast is at least 7:1 for text and 4.5:1 for buttons, by day and by night. */
export const PALETTE = `:root { color-scheme: light dark; --page: #f3f4f6; --card: #ffffff; --text: #1f2937; --soft: #4b5563; --line: #d1d5db; --act: #1d4ed8; --on-act: #ffffff }
@media (prefers-color-scheme: dark) { :root { --page: #111827; --card: #1f2937; --text: #f3f4f6; --soft: #d1d5db; --line: #4b5563; --act: #93c5fd; --on-act: #111827 } }`

export const STYLE = `
${PALETTE}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--page); color: var(--text); font: 1rem/1.6 system-ui, sans-serif }
main { width: 100%; max-width: 30rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25 }
p { margin: 0 0 1rem }
a { color: var(--act) }
a:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
.soft { color: var(--soft); font-size: .9375rem }
main > :last-child { margin-bottom: 0 }
button { width: 100%; min-height: 2.75rem; padding: .625rem 1rem; border: 1px solid var(--act); border-radius: .5rem; background: var(--act); color: var(--on-act); font: inherit; font-weight: 600; cursor: pointer }
button.quiet { background: transparent; color: var(--text); border-color: var(--soft) }
button:hover { text-decoration: underline }
button:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
form p { margin: .5rem 0 1.25rem }
`

/** SHA-256 of STYLE, by which the page's policy allows that style and no other; a test compares the two. */
export const STYLE_HASH = 'sha256-y/JtXI56B/6Yaf1W+kYhf/RrMCw2uNyBJISpuW89j1E='

/** How a page looks and speaks beside its own text; look.ts makes one of the settings. */
export interface Look {
  /** BCP 47 tag of its text. */
  lang: string
  style: string
  /** HTML around the page's own; empty for none. */
  header: string
  footer: string
}

const PLAIN: Look = { lang: 'en', style: STYLE, header: '', footer: '' }

/**
 * A whole document.
 *
 * @param title - plain text; it is the heading too
 * @param body - HTML, every value in it escaped
 */
export function layout(title: string, body: string, { lang, style, header, footer }: Look = PLAIN): string {
  return `<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${header}<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
${footer}</body>
</html>
`
}
