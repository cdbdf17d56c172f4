import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

/** A partial copy of the repository in a folder of its own, for a test to break. Gone when the test ends. */
export class Checkout {
  readonly root: string

  /** @param paths files and folders to copy, from the repository's root; node_modules is linked */
  constructor(paths: readonly string[]) {
    this.root = mkdtempSync(join(tmpdir(), 'emk-checkout-'))
    onTestFinished(() => rmSync(this.root, { recursive: true, force: true }))
    symlinkSync(join(REPOSITORY, 'node_modules'), join(this.root, 'node_modules'), 'junction')
    for (const path of ['package.json', ...paths]) {
      cpSync(join(REPOSITORY, path), join(this.root, path), { recursive: true })
    }
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true })
    writeFileSync(join(this.root, path), text)
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8')
  }

  /** Replaces one piece of a file. @throws when it is not there: a fault that was not planted proves nothing */
  replace(path: string, piece: string, by: string): void {
    const text = this.read(path)
    if (!text.includes(piece)) throw new Error(`${path} does not hold ${piece}`)
    this.write(
      path,
      text.replace(piece, () => by),
    )
  }
}
