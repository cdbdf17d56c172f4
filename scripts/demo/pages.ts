import type { Api } from '../import/api.ts'

/** Every row of a list of the API, page by page. */
export async function* allRows<Row>(api: Api, path: string): AsyncGenerator<Row> {
  const separator = path.includes('?') ? '&' : '?'
  for (let cursor: string | null = ''; cursor !== null; ) {
    const after = cursor && `&cursor=${encodeURIComponent(cursor)}`
    const page: { data: Row[]; next_cursor: string | null } = await api.get(`${path}${separator}limit=200${after}`)
    yield* page.data
    cursor = page.next_cursor
  }
}
