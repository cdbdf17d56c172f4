/** Most letters that a name may be away from what was meant. */
const MOST_EDITS = 2
const LONGEST = 60

/** The name that an author most likely meant, for "did you mean"; empty when none is near. */
export function suggestion(written: string, names: Iterable<string>): string {
  let nearest = ''
  let least = MOST_EDITS + 1
  for (const name of names) {
    const distance = edits(written.toLowerCase(), name.toLowerCase())
    // Of a short name, two letters are all of it.
    if (distance < least && distance * 2 < Math.max(name.length, 3)) [nearest, least] = [name, distance]
  }
  return nearest === '' ? '' : ` Did you mean "${nearest}"?`
}

/** Letters to insert, delete, replace or swap with their neighbour. */
function edits(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MOST_EDITS || a.length > LONGEST) return MOST_EDITS + 1
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    before = previous
    previous = row
  }
  return previous[b.length] ?? 0
}
