// The kit's own mails: a few sentences and at most one button, as HTML that also Outlook lays out, and as text.
import type { Brand } from '../pages/brand.ts'
import { textOn } from '../pages/contrast.ts'
import { escapeHtml } from '../pages/layout.ts'

export interface Notice {
  /** BCP 47 tag; `en` when left out. */
  language?: string
  subject: string
  /** Plain text, one entry a paragraph. */
  paragraphs: readonly string[]
  button: { label: string; url: string } | null
  /** What stands below in smaller letters; null for nothing. */
  small: string | null
}

const COLOR = '#1d4ed8'

/** @param postal_address - at the foot; of the sender */
export function noticeMail(
  notice: Notice,
  brand: Brand,
  postal_address: string | null = null,
): { subject: string; html: string; text: string } {
  return {
    subject: notice.subject,
    html: htmlOf(notice, brand, postal_address),
    text: textOf(notice, brand, postal_address),
  }
}

function textOf({ paragraphs, button, small }: Notice, brand: Brand, postal_address: string | null): string {
  const foot = [brand.brand_name, postal_address, brand.home_url, brand.privacy_url].filter((line) => line !== null)
  const parts = [
    ...paragraphs,
    button && `${button.label}:\n${button.url}`,
    small,
    foot.length > 0 ? `-- \n${foot.join('\n')}` : null,
  ]
  return `${parts.filter((part) => part !== null).join('\n\n')}\n`
}

/**
 * Colours stand twice: inline for programs that know no style sheet, and by class for the night, where a program that
 * follows the reader's choice takes those.
 */
function htmlOf({ language = 'en', subject, paragraphs, button, small }: Notice, brand: Brand, address: string | null) {
  const soft = 'margin:0 0 12px;font-size:14px;line-height:21px;color:#4b5563'
  const foot = [address && lines(address), link(brand.home_url), link(brand.privacy_url)].filter(Boolean)
  return `<!doctype html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(subject)}</title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark }
@media (prefers-color-scheme: dark) {
  .page { background: #111827 !important }
  .card { background: #1f2937 !important; border-color: #4b5563 !important }
  .text { color: #f3f4f6 !important }
  .soft, .soft a { color: #d1d5db !important }
}
@media (max-width: 620px) { .card { padding: 24px 20px !important } }
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f3f4f6">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="#f3f4f6" style="background:#f3f4f6">
<tr><td align="center" style="padding:24px 12px">
<!--[if mso]><table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->
<table role="presentation" lang="${escapeHtml(language)}" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px;font-family:Arial,Helvetica,sans-serif">
<tr><td class="card" bgcolor="#ffffff" style="padding:32px;background:#ffffff;border:1px solid #d1d5db;border-radius:8px">
${head(brand)}<h1 class="text" style="margin:0 0 16px;font-size:22px;line-height:28px;font-weight:bold;color:#1f2937">${escapeHtml(subject)}</h1>
${paragraphs
  .map(
    (text) =>
      `<p class="text" style="margin:0 0 16px;font-size:16px;line-height:24px;color:#1f2937">${lines(text)}</p>`,
  )
  .join('\n')}
${button ? buttonOf(button, brand.brand_color ?? COLOR, soft) : ''}${small === null ? '' : `<p class="soft" style="${soft}">${lines(small)}</p>\n`}</td></tr>
${foot.length > 0 ? `<tr><td align="center" style="padding:16px 12px 0">\n<p class="soft" style="${soft}">${foot.join('<br>')}</p>\n</td></tr>\n` : ''}</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr>
</table>
</body>
</html>
`
}

function head({ brand_name, brand_logo_url }: Brand): string {
  if (brand_logo_url !== null) {
    const alt = escapeHtml(brand_name ?? '')
    return `<p class="text" style="margin:0 0 24px"><img src="${escapeHtml(brand_logo_url)}" alt="${alt}" height="40" style="height:40px;width:auto;max-width:100%;border:0"></p>\n`
  }
  if (brand_name === null) return ''
  return `<p class="text" style="margin:0 0 24px;font-size:18px;line-height:24px;font-weight:bold;color:#1f2937">${escapeHtml(brand_name)}</p>\n`
}

/** The cell has the colour, the link its padding; Outlook pads the cell instead. */
function buttonOf({ label, url }: { label: string; url: string }, color: string, soft: string): string {
  const [href, text] = [escapeHtml(url), textOn(color)]
  return `<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:8px 0 20px"><tr>
<td align="center" bgcolor="${color}" style="background:${color};border-radius:6px;mso-padding-alt:12px 24px"><a href="${href}" style="display:inline-block;padding:12px 24px;font-size:16px;line-height:24px;font-weight:bold;color:${text};text-decoration:none">${escapeHtml(label)}</a></td>
</tr></table>
<p class="soft" style="${soft};word-break:break-all"><a href="${href}" style="color:#4b5563">${href}</a></p>
`
}

const lines = (text: string) => escapeHtml(text).replaceAll('\n', '<br>')

const link = (url: string | null) =>
  url === null ? null : `<a href="${escapeHtml(url)}" style="color:#4b5563">${escapeHtml(url)}</a>`
