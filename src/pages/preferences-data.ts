// The pages behind the links by which people get their data, or have it erased.
import { escapeHtml } from './layout.ts'
import type { Screen } from './preferences.ts'
import type { DataWords } from './words/preferences-words.ts'

const question = (title: string, text: string, button: string): Screen => ({
  title,
  body: `<p>${escapeHtml(text)}</p>
<form method="post">
<button type="submit">${escapeHtml(button)}</button>
</form>`,
})

export const exportScreen = (w: DataWords): Screen => question(w.export_title, w.export_text, w.export_button)

export const eraseScreen = (w: DataWords): Screen => question(w.erase_title, w.erase_text, w.erase_button)

export const erasedScreen = (w: DataWords): Screen => ({
  title: w.erased_title,
  body: `<p role="status">${escapeHtml(w.erased)}</p>`,
})
