// The fields of a delivery status notification (RFC 3464, section 2) and of a feedback report (RFC 5965, section 3.1).

/** By name in lower case; of a field that is given twice, the first. */
export type Fields = ReadonlyMap<string, string>

/** Our mails have one recipient; an alias there may have made a few of them. */
const MOST_GROUPS = 50
const MOST_FIELDS = 50

/** The groups of fields, which blank lines part. What is no field is left out. */
export function readFields(text: string): Fields[] {
  const groups: Fields[] = []
  let group = new Map<string, string>()
  let last: string | null = null
  const close = () => {
    if (group.size > 0) groups.push(group)
    group = new Map()
    last = null
  }
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (groups.length >= MOST_GROUPS) break
    if (/^[ \t]*$/.test(line)) close()
    else if (/^[ \t]/.test(line)) {
      if (last !== null) group.set(last, `${group.get(last) ?? ''} ${line.trim()}`)
    } else last = readField(group, line)
  }
  close()
  return groups
}

/** @returns the field's name, to which the lines that go on belong; null where they belong to nothing */
function readField(group: Map<string, string>, line: string): string | null {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase()
  if (!/^[a-z][\w-]{0,60}$/.test(name) || group.has(name) || group.size >= MOST_FIELDS) return null
  group.set(name, line.slice(colon + 1).trim())
  return name
}
