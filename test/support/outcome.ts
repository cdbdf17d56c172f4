import type { Outcome } from '../../src/providers/provider.ts'

/** An outcome in the words of docs/delivery.md. */
export function written(outcome: Outcome): string {
  const flags: string[] = [outcome.kind]
  if (outcome.kind === 'never') {
    if (outcome.dead) flags.push('dead')
    if (outcome.policy) flags.push('policy')
  }
  if (outcome.kind === 'later') {
    for (const flag of ['throttled', 'silent', 'untried'] as const) if (outcome[flag]) flags.push(flag)
    if (outcome.delay_seconds !== undefined) flags.push(`${outcome.delay_seconds} s`)
  }
  return flags.join(', ')
}
