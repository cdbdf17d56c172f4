import { join, relative, resolve } from 'node:path'
import { outputLines, runTool } from './run-tool.ts'

/** Biome's lint rules (among them the import wall around src/tracking) and its formatting. */
export async function checkLint(root: string): Promise<string[]> {
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
  const run = await runTool(root, biome, ['check', '--reporter=github', '--max-diagnostics=200', '--error-on-warnings'])
  if (run.status === 0) return []
  const found = outputLines(run.output).flatMap((line) => {
    const at = /^::(?:error|warning|notice) title=([^,]*),file=([^,]*),line=(\d+).*?::(.*)$/.exec(line)
    // Outside a version-controlled folder Biome writes whole paths.
    return at === null ? [] : [`${relative(root, resolve(root, at[2] ?? ''))}:${at[3]} ${at[1]}: ${at[4]}`]
  })
  return found.length > 0 ? found : outputLines(run.output)
}
