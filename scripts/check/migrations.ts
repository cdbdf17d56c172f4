import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { outputLines, runTool } from './run-tool.ts'

/**
 * drizzle/ is sound and in step with the tables: generating into a copy of it adds no migration. Only snapshots are
 * compared, since a migration's SQL may hold parts written by hand (partitions, storage settings, first rows).
 */
export async function checkMigrations(root: string): Promise<string[]> {
  const kit = join(root, 'node_modules/drizzle-kit/bin.cjs')
  const sound = await runTool(root, kit, ['check'])
  if (sound.status !== 0) return outputLines(sound.output).slice(0, 5)

  const problems = journalProblems(root)
  if (problems.length > 0) return problems

  mkdirSync(join(root, '.local'), { recursive: true })
  const copy = mkdtempSync(join(root, '.local', 'check-drizzle-'))
  try {
    cpSync(join(root, 'drizzle'), copy, { recursive: true })
    const before = new Set(readdirSync(copy))
    // drizzle-kit takes only a path relative to where it runs.
    const run = await runTool(root, kit, [
      'generate',
      '--dialect=postgresql',
      '--schema=./src/**/table.ts',
      `--out=./${relative(root, copy).replaceAll('\\', '/')}`,
    ])
    const added = readdirSync(copy).filter((name) => !before.has(name))
    if (added.length > 0) {
      const statements = added.flatMap((name) => outputLines(readFileSync(join(copy, name), 'utf8')))
      return [`the tables in src/ have changes that no migration holds: ${statements[0] ?? added[0]}`]
    }
    // It asks when a column may have been renamed, and ends without an answer.
    if (run.status !== 0 || !/No schema changes/i.test(run.output)) {
      return [`drizzle-kit generate could not finish: ${outputLines(run.output).at(-1) ?? `status ${run.status}`}`]
    }
    return []
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** Each migration in the journal has its file and its snapshot, and no file stands outside the journal. */
function journalProblems(root: string): string[] {
  const folder = join(root, 'drizzle')
  const journal: { entries: { idx: number; tag: string }[] } = JSON.parse(
    readFileSync(join(folder, 'meta/_journal.json'), 'utf8'),
  )
  const files = new Set(readdirSync(folder).filter((name) => name.endsWith('.sql')))
  const snapshots = new Set(readdirSync(join(folder, 'meta')))
  const problems = journal.entries.flatMap(({ idx, tag }) => [
    ...(files.delete(`${tag}.sql`) ? [] : [`drizzle/${tag}.sql is in the journal and missing`]),
    ...(snapshots.has(`${String(idx).padStart(4, '0')}_snapshot.json`)
      ? []
      : [`drizzle/meta has no snapshot of ${tag}`]),
  ])
  return [...problems, ...[...files].map((name) => `drizzle/${name} is not in the journal: nothing applies it`)]
}
