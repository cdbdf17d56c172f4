import type { AttributeType } from '../attributes/type.ts'
import type { News } from './commit.ts'
import { type Columns, describeColumns, mapColumns } from './mapping.ts'
import type { Piece } from './read.ts'
import { Slice } from './slice.ts'
import type { ReadState } from './state.ts'
import type { StoredImport } from './store.ts'

/** One kind of rows: how a record becomes one, and how a slice of them is written. */
export interface Destination<Row> {
  read(columns: Columns, cells: string[]): { row: Row } | { problem: string }
  /** Whom a row is about, where several rows about one person cost more than as many about others. */
  who(row: Row): string | null
  /**
   * Makes ready what writes a slice, while the one before may still be on its way. The function it answers does it: one
   * transaction, which moves the import over the slice.
   */
  prepare(slice: Slice<Row>, news: News): Promise<() => Promise<unknown>>
}

/** Gathers what is read into slices and has them written, one while the next one is read. */
export class Intake<Row> {
  readonly #held: StoredImport
  readonly #types: ReadonlyMap<string, AttributeType>
  readonly #destination: Destination<Row>
  #slice: Slice<Row>
  #columns: Columns | undefined
  /** As it was last written. */
  #state: ReadState | null
  #writing: Promise<unknown> = Promise.resolve()

  constructor(held: StoredImport, types: ReadonlyMap<string, AttributeType>, destination: Destination<Row>) {
    this.#held = held
    this.#types = types
    this.#destination = destination
    this.#slice = new Slice({ offset: held.next_offset, line: held.line })
    this.#state = held.state
  }

  /** @throws {MappingProblem}, and what the slice before it failed with */
  async take({ state, records, offset, line }: Piece): Promise<void> {
    const { options, kind } = this.#held
    this.#columns ??= mapColumns(state, options.mapping, this.#types, kind, this.#held.file_name)
    for (const record of records) {
      const { problem } = record
      const result = problem === null ? this.#destination.read(this.#columns, record.cells) : { problem }
      const who = 'row' in result ? this.#destination.who(result.row) : null
      if (this.#slice.hasEnoughOf(who)) {
        this.#slice.moveTo({ offset: record.offset, line: record.line }, atRecord(state))
        await this.#write()
      }
      this.#slice.add(record, result, who)
    }
    this.#slice.moveTo({ offset, line }, state)
    if (this.#slice.isFull) await this.#write()
  }

  /** Writes what is left. @returns the byte of the file that the import goes on with */
  async end(): Promise<number> {
    if (!this.#slice.isEmpty) await this.#write()
    await this.#writing
    return this.#slice.from
  }

  async #write(): Promise<void> {
    const slice = this.#slice
    const { state, to } = slice
    const news: News = {}
    if (state !== this.#state) news.state = state
    if (!this.#held.columns && this.#columns) news.columns = describeColumns(this.#columns)
    this.#state = state ?? this.#state
    this.#slice = new Slice(to)
    const commit = await this.#destination.prepare(slice, news)
    await this.#writing
    this.#writing = commit()
    // Looked at before the next slice; until then a failure is nobody's surprise.
    this.#writing.catch(() => {})
  }
}

/** The state where a record begins, of the one behind all that were read with it. */
function atRecord(state: ReadState): ReadState {
  if (!state.in_long_record) return state
  const { in_long_record: _, ...rest } = state
  return rest
}
