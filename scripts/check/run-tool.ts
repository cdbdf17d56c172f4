import { spawn } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'

export interface ToolRun {
  status: number
  /** Standard output and standard error, in the order they came. */
  output: string
}

/** Runs a script under the Node that runs us, without input, in `root`. A run over `timeout_ms` counts as failed. */
export function runTool(root: string, script: string, args: readonly string[], timeout_ms = 120_000): Promise<ToolRun> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeout_ms,
      // Tools colour, ask and phone home unless told that nobody watches.
      env: { ...process.env, CI: '1', NO_COLOR: '1', WRANGLER_SEND_METRICS: 'false' },
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.on('error', (error) => resolve({ status: 1, output: String(error) }))
    child.on('close', (status, signal) =>
      resolve({ status: status ?? 1, output: signal === null ? output : `${output}\nended by ${signal}` }),
    )
  })
}

/** The lines of a tool's output that say something. */
export function outputLines(output: string): string[] {
  // Some tools colour whatever they are told.
  return stripVTControlCharacters(output)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line.trim() !== '')
}
