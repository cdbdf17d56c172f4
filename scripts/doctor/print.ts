import type { Finding } from '../../src/doctor/finding.ts'
import type { Report } from '../../src/doctor/report.ts'

const MARKS = { ok: 'ok     ', warning: 'warning', error: 'ERROR  ' } as const
const INDENT = '         '

/** A report for a person: what is wrong first, each record with name and value on lines of their own. */
export function printed({ domain, findings }: Report): string {
  const of = (severity: Finding['severity']) => findings.filter((finding) => finding.severity === severity)
  const [errors, warnings, sound] = [of('error'), of('warning'), of('ok')]
  const blocks = [...errors, ...warnings].map(block)
  const lines = sound.map((finding) => `${MARKS.ok}  ${finding.what}`).join('\n')
  const sum = `${domain}: ${counted(errors.length, 'error')}, ${counted(warnings.length, 'warning')}, ${sound.length} in order`
  return [...blocks, lines, sum].filter(Boolean).join('\n\n')
}

function block({ severity, check, about, what, fix, source }: Finding): string {
  const lines = [`${MARKS[severity]}  ${check.replace('_', ' ')} of ${about}`, `${INDENT}${what}`]
  if (fix) lines.push(`${INDENT}DNS record (${fix.type}), name and value:`, fix.name, fix.value)
  if (source) lines.push(`${INDENT}(${source})`)
  return lines.join('\n')
}

const counted = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`
