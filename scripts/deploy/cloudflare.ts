/** Cloudflare said no. `code` is the API's own number. */
export class CloudflareError extends Error {
  override name = 'CloudflareError'
  readonly status: number
  readonly code: number | undefined
  constructor(call: string, status: number, errors: readonly { code: number; message: string }[]) {
    const said = errors.map(({ code, message }) => `${message} (${code})`).join('; ')
    super(`${call}: ${said || `HTTP ${status}`}${advice(status)}`)
    this.status = status
    this.code = errors[0]?.code
  }
}

function advice(status: number): string {
  if (status !== 401 && status !== 403) return ''
  return '. CLOUDFLARE_API_TOKEN is not right or lacks a permission: see deploy.env.example'
}

interface Envelope<Result> {
  success: boolean
  result: Result
  errors?: { code: number; message: string }[]
  result_info?: { total_pages?: number }
}

/** The few calls to Cloudflare's API that wrangler has no machine-readable command for. */
export class Cloudflare {
  readonly #base: string
  readonly #token: string

  constructor(account_id: string, token: string) {
    // The variable is wrangler's own, so that both talk to the same place.
    const api = process.env.CLOUDFLARE_API_BASE_URL ?? 'https://api.cloudflare.com/client/v4'
    this.#base = `${api}/accounts/${account_id}`
    this.#token = token
  }

  /** @throws {CloudflareError} */
  async call<Result>(method: string, path: string, body?: unknown): Promise<Result> {
    return (await this.#envelope<Result>(method, path, body)).result
  }

  /** All pages of a list. @throws {CloudflareError} */
  async list<Item>(path: string): Promise<Item[]> {
    const items: Item[] = []
    for (let page = 1; ; page += 1) {
      const { result, result_info } = await this.#envelope<Item[]>('GET', `${path}?page=${page}`)
      items.push(...result)
      if (result.length === 0 || page >= (result_info?.total_pages ?? 1)) return items
    }
  }

  async #envelope<Result>(method: string, path: string, body?: unknown): Promise<Envelope<Result>> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.#token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    })
    const envelope: Envelope<Result> | null = await response.json().catch(() => null)
    if (!response.ok || envelope?.success !== true) {
      throw new CloudflareError(`${method} ${path}`, response.status, envelope?.errors ?? [])
    }
    return envelope
  }
}
