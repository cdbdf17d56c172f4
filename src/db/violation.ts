/** Whether a statement failed on the named constraint or unique index, however deep drizzle wrapped the error. */
export function violates(error: unknown, constraint: string): boolean {
  for (let e = error; e instanceof Error; e = e.cause) {
    if ('constraint' in e && e.constraint === constraint) return true
  }
  return false
}
