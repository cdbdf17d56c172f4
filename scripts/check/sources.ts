import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

export interface Source {
  /** From the repository's root, with `/`. */
  path: string
  text: string
}

export interface Import {
  line: number
  /** A repository path for a relative import, else the package or module as it was written. */
  target: string
}

/** Every TypeScript file under the given folders, generated types left out. */
export function readSources(root: string, folders: readonly string[]): Source[] {
  return folders.flatMap((folder) => {
    if (!existsSync(join(root, folder))) return []
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !path.includes('node_modules/'))
      .sort()
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  })
}

const IMPORT =
  /(?:^|\n)[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)[ \t]*import\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]/g

/** What a file imports or re-exports: values and types, statically or by `import()`. */
export function importsOf(source: Source): Import[] {
  return [...source.text.matchAll(IMPORT)].map((match) => {
    const written = match[1] ?? match[2] ?? match[3] ?? ''
    const end = (match.index ?? 0) + match[0].length
    return {
      line: source.text.slice(0, end).split('\n').length,
      target: written.startsWith('.') ? posix.join(posix.dirname(source.path), written) : written,
    }
  })
}

/** The text with comments blanked, line numbers kept. A `//` inside a URL is no comment. */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(
      /(^|[^:'"`/])\/\/[^\n]*/g,
      (comment, before: string) => before + ' '.repeat(comment.length - before.length),
    )
}
