import { basename } from 'node:path'
import { EnvFile } from './env-file.ts'
import { readSettings } from './settings.ts'
import { defaultPrefix, envPath, siblingFaults } from './siblings.ts'
import { type DeployOptions, deploymentSteps } from './steps.ts'
import { mask } from './upload.ts'

/**
 * From deploy.env to a sent test mail. Every step may be repeated: a run that failed half-way is run again as it is.
 *
 * @returns whether all of it succeeded
 */
export async function deploy(options: DeployOptions): Promise<boolean> {
  const { root, environment, dry_run, print } = options
  const env = new EnvFile(envPath(root, environment))
  const { settings, faults } = await readSettings(env, defaultPrefix(environment))
  faults.push(...siblingFaults(root, environment, settings))
  if (faults.length > 0) {
    print(`${basename(env.path)} is not ready:`)
    for (const fault of faults) print(`  ${fault}`)
    return false
  }

  const steps = deploymentSteps(options, env, settings)
  for (const [at, step] of steps.entries()) {
    const title = `${at + 1}/${steps.length} ${step.name}`
    if (dry_run) {
      print(title)
      const plan = step.plan()
      for (const line of plan.length > 0 ? plan : ['nothing: it was done before']) print(`    ${mask(line, settings)}`)
      continue
    }
    try {
      print(`${title}: ${mask(await step.run(), settings)}`)
    } catch (error) {
      print(`${title}: FAILED`)
      print(`    ${mask(describe(error), settings).replaceAll('\n', '\n    ')}`)
      print('What was done stays done. Put this right and run the same command again: it goes on from here.')
      return false
    }
  }
  print(dry_run ? 'Nothing was changed: this was a dry run.' : `The API key is API_KEY in ${basename(env.path)}.`)
  return true
}

/** Node hides why a connection failed: in `cause` for fetch, in `errors` when a host has several addresses. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause
  return [error.message, inner === undefined ? '' : describe(inner)].filter(Boolean).join(': ') || error.name
}
