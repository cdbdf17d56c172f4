import { readFileSync, renameSync, writeFileSync } from 'node:fs'

/**
 * A file of `NAME=value` lines. A value is the rest of its line as it stands; one pair of quotes around it is dropped.
 * No escapes, no variables, no comment behind a value: what a password holds is what it means.
 */
export class EnvFile {
  readonly path: string
  #lines: string[]

  /** @throws when the file cannot be read */
  constructor(path: string) {
    this.path = path
    this.#lines = readFileSync(path, 'utf8').split(/\r?\n/)
  }

  /** The value, or '' when the name is missing. The last of two lines counts. */
  get(name: string): string {
    const line = this.#lines.findLast((line) => nameOf(line) === name)
    if (line === undefined) return ''
    const value = line.slice(line.indexOf('=') + 1).trim()
    return /^(["']).*\1$/s.test(value) && value.length >= 2 ? value.slice(1, -1) : value
  }

  names(): string[] {
    return [...new Set(this.#lines.map(nameOf).filter((name) => name !== undefined))]
  }

  /** Puts the value in its line, or at the end, and writes the file; readable by its owner only, since it holds secrets. */
  set(name: string, value: string): void {
    if (/[\r\n]/.test(value)) throw new Error(`${name} would take more than one line`)
    const at = this.#lines.findLastIndex((line) => nameOf(line) === name)
    if (at >= 0) this.#lines[at] = `${name}=${value}`
    else this.#lines.splice(this.#lines.at(-1) === '' ? -1 : this.#lines.length, 0, `${name}=${value}`)
    // Never half a file: a crash here must not lose the keys that signed links already sent.
    writeFileSync(`${this.path}.new.env`, this.#lines.join('\n'), { mode: 0o600 })
    renameSync(`${this.path}.new.env`, this.path)
  }
}

function nameOf(line: string): string | undefined {
  return /^\s*([A-Z][A-Z0-9_]*)\s*=/.exec(line)?.[1]
}
