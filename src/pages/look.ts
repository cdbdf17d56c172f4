// The look of the pages that emk-api serves: the house's name or logo on top, its colour, and where its own site is.
import { page, pagePolicy } from './answer.ts'
import type { Brand } from './brand.ts'
import { readableOn, textOn } from './contrast.ts'
import { FORM_STYLE } from './form-style.ts'
import { escapeHtml, type Look, layout, STYLE } from './layout.ts'
import type { Words } from './words/words.ts'

export interface PublicLook extends Look {
  /** Content-Security-Policy of a page that has this look. */
  policy: string
}

export const NO_BRAND: Brand = {
  brand_name: null,
  brand_logo_url: null,
  brand_color: null,
  home_url: null,
  privacy_url: null,
}

/** @param brand - NO_BRAND where the settings cannot be read */
export async function lookOf({ brand_color, ...brand }: Brand, { language, frame }: Words): Promise<PublicLook> {
  const { style, hash } = await styleFor(brand_color)
  const { brand_logo_url, home_url, privacy_url } = brand
  const links = [link(home_url, frame.home), link(privacy_url, frame.privacy)].filter((one) => one !== '')
  return {
    lang: language,
    style,
    header: headerOf(brand),
    footer: links.length > 0 ? `<footer>\n<p class="soft">${links.join(' ')}</p>\n</footer>\n` : '',
    policy: pagePolicy(hash, brand_logo_url === null ? '' : new URL(brand_logo_url).origin),
  }
}

/** Answers with a page of that look. @param body - HTML, every value in it escaped */
export const lookingPage = (
  look: PublicLook,
  status: number,
  title: string,
  body: string,
  headers: Record<string, string> = {},
) => page(status, layout(title, body, look), { 'Content-Security-Policy': look.policy, ...headers })

function headerOf({ brand_name, brand_logo_url }: Pick<Brand, 'brand_name' | 'brand_logo_url'>): string {
  const name = escapeHtml(brand_name ?? '')
  if (brand_logo_url !== null) {
    return `<header><img src="${escapeHtml(brand_logo_url)}" alt="${name}"></header>\n`
  }
  return name === '' ? '' : `<header><p>${name}</p></header>\n`
}

const link = (url: string | null, text: string) =>
  url === null ? '' : `<a href="${escapeHtml(url)}">${escapeHtml(text)}</a>`

/** Colours this isolate has met last: an installation has one, and another after it was changed. */
const KEPT = 4
const styles = new Map<string | null, { style: string; hash: string }>()

async function styleFor(brand_color: string | null): Promise<{ style: string; hash: string }> {
  const known = styles.get(brand_color)
  if (known) return known
  const style = STYLE + FORM_STYLE + (brand_color === null ? '' : colors(brand_color))
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style)))
  const made = { style, hash: `sha256-${btoa(String.fromCharCode(...digest))}` }
  styles.set(brand_color, made)
  for (const oldest of styles.keys()) if (styles.size > KEPT) styles.delete(oldest)
  return made
}

/**
 * Buttons have the colour itself; edges, links and ticks as much of it as can be seen. Those lie on the page as well as on
 * the card, of which the one that is nearer to them counts (PALETTE).
 */
const colors = (color: string) => `
:root { --act: ${color}; --on-act: ${textOn(color)}; --mark: ${readableOn('#f3f4f6', color)} }
@media (prefers-color-scheme: dark) { :root { --act: ${color}; --on-act: ${textOn(color)}; --mark: ${readableOn('#1f2937', color)} } }
`
