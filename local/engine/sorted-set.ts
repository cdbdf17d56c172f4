/** Members with scores. Kept in order only when somebody asks for it. */
export class SortedSet {
  readonly #scores = new Map<string, number>()
  #sorted: [member: string, score: number][] | null = null

  get size(): number {
    return this.#scores.size
  }

  score(member: string): number | undefined {
    return this.#scores.get(member)
  }

  set(member: string, score: number): void {
    this.#scores.set(member, score)
    this.#sorted = null
  }

  delete(member: string): boolean {
    this.#sorted = null
    return this.#scores.delete(member)
  }

  /** By score, then by member's bytes. */
  entries(): readonly [member: string, score: number][] {
    this.#sorted ??= [...this.#scores].sort(
      (a, b) => a[1] - b[1] || Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])),
    )
    return this.#sorted
  }
}
