import type { Finding } from './finding.ts'
import { type Person, STRANGER } from './people.ts'

/** Whom each thing that went wrong has happened to. */
export class Affected {
  readonly #people = new Map<string, Person[]>()

  get count(): number {
    return [...this.#people.values()].flat().length
  }

  add(what: string, person: Person): void {
    this.#people.set(what, [...(this.#people.get(what) ?? []), person])
  }

  has(person: Person): boolean {
    return [...this.#people.values()].some((people) => people.includes(person))
  }

  /** One for each thing, however many it has happened to. */
  findings(say: (what: string, whom: string) => Finding): Finding[] {
    return [...this.#people].slice(0, MOST_FINDINGS).map(([what, people]) => say(what, whomOf(people)))
  }
}

/** Each person's data may fail in its own words. */
const MOST_FINDINGS = 10

function whomOf([first = STRANGER, ...others]: readonly Person[]): string {
  const who = first === STRANGER ? 'a subscriber without name and attributes' : `subscriber ${first.subscriber_id}`
  return others.length === 0 ? who : `${others.length + 1} of those it was tried for, such as ${who}`
}
