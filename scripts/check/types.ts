import { join } from 'node:path'
import { outputLines, runTool } from './run-tool.ts'

/** Both TypeScript projects compile, and the generated environment types match the wrangler files. */
export async function checkTypes(root: string): Promise<string[]> {
  const problems: string[] = []
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  for (const project of ['tsconfig.json', 'tsconfig.node.json']) {
    const run = await runTool(root, tsc, ['-p', project, '--pretty', 'false'])
    if (run.status === 0) continue
    const lines = outputLines(run.output)
    problems.push(...(lines.length > 0 ? lines : [`tsc -p ${project} ended with ${run.status}`]))
  }
  const generated = await runTool(root, join(root, 'scripts/types.ts'), ['--check'])
  if (generated.status !== 0) problems.push(...outputLines(generated.output).slice(0, 3))
  // A Worker file may be in both projects: say each fault once.
  return [...new Set(problems)]
}
