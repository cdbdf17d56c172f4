const REPEATABLE = new Set(['40P01', '40001'])

/** Runs a statement again when Postgres broke a deadlock by refusing it (SQLSTATE 40P01, 40001): it changed nothing. */
export async function retryDeadlocks<T>(statement: () => Promise<T>, attempts = 5): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await statement()
    } catch (error) {
      if (attempt >= attempts || !REPEATABLE.has(sqlState(error) ?? '')) throw error
    }
  }
}

/** The SQLSTATE of a failed statement, however deep drizzle wrapped it (`db.batch` does not wrap at all). */
export function sqlState(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    if ('code' in e && typeof e.code === 'string') return e.code
  }
  return undefined
}
