import { CLIPPED } from '../../templates/compiled.ts'
import type { Finding } from './finding.ts'

/** @param html_bytes - of the HTML as it is sent, tracked links included */
export function sizeFindings(html_bytes: number): Finding[] {
  if (html_bytes <= CLIPPED) return []
  return [
    {
      code: 'clipped',
      field: 'template_id',
      detail: `The HTML has ${Math.ceil(html_bytes / 1024)} KB as it is sent. Gmail cuts mails off after 102 KB, unsubscribe link included.`,
    },
  ]
}
