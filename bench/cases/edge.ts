import type { Findings } from '../result.ts'
import type { Options } from '../run.ts'

export async function benchClick(_: Options): Promise<Findings> {
  throw new Error('later')
}
export async function benchOpen(_: Options): Promise<Findings> {
  throw new Error('later')
}
