/** The deployed API said no. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly status: number
  readonly code: string | undefined
  constructor(call: string, status: number, problem: Problem) {
    const fields = (problem.errors ?? []).map(({ field, detail }) => `${field} ${detail}`)
    super(`${call}: ${[problem.detail ?? `HTTP ${status}`, ...fields].join('; ')}`)
    this.status = status
    this.code = problem.code
  }
}

interface Problem {
  code?: string
  detail?: string
  errors?: { field: string; detail: string }[]
}

interface Page<Item> {
  data: Item[]
  next_cursor: string | null
}

/** Calls of the deployed emk-api. */
export class Api {
  readonly #base: string
  readonly #key: string
  readonly #fetch: typeof fetch

  constructor(public_url: string, key: string, fetch_public: typeof fetch) {
    this.#base = `${public_url}/api/v1`
    this.#key = key
    this.#fetch = fetch_public
  }

  /** @throws {ApiError} */
  async call<Result>(method: string, path: string, body?: unknown): Promise<Result> {
    const response = await this.#fetch(`${this.#base}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.#key}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    })
    const answer = await response.json().catch(() => ({}))
    if (!response.ok) throw new ApiError(`${method} ${path}`, response.status, answer)
    return answer
  }

  /** The first item of a list for which `matches` is true. */
  async find<Item>(path: string, matches: (item: Item) => boolean): Promise<Item | undefined> {
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Page<Item> = await this.call(
        'GET',
        `${path}?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      )
      const found = page.data.find(matches)
      if (found !== undefined) return found
      cursor = page.next_cursor
    }
    return undefined
  }
}
