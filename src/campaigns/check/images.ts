import { counted, type Finding, some } from './finding.ts'
import { lettersIn, type Page } from './page.ts'

/** Fewer letters than this beside an image are a picture with a footer; spam filters count so too (SpamAssassin HTML_IMAGE_ONLY). */
const LITTLE_TEXT = 200

export function imageFindings({ images, text }: Page): Finding[] {
  const found: Finding[] = []
  const mute = images.filter(({ alt }) => alt === null)
  if (mute.length > 0) {
    found.push({
      code: 'image_without_alt',
      field: 'template_id',
      detail: `${counted(mute.length, 'image')} without alt text (${names(mute)}): screen readers spell out the address, and who blocks images sees nothing. Decoration takes alt="".`,
    })
  }
  const wide = images.filter(({ width }) => width === null || !/^\d+%?$/.test(width.trim()))
  if (wide.length > 0) {
    found.push({
      code: 'image_without_width',
      field: 'template_id',
      detail: `${counted(wide.length, 'image')} without a width attribute in pixels (${names(wide)}): Outlook shows them in their full size, whatever the style says.`,
    })
  }
  if (images.length > 0 && lettersIn(text) < LITTLE_TEXT) {
    found.push({
      code: 'mostly_images',
      field: 'template_id',
      detail: `${counted(images.length, 'image')} and only ${counted(lettersIn(text), 'letter')} of text: filters take such mails for spam, and who blocks images cannot read them.`,
    })
  }
  return found
}

const names = (images: Page['images']) => some(images.map(({ src }) => src.slice(0, 80) || 'no address'))
