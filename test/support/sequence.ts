// The order of the files of a run.
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Their tests start programs and wait for them, so that little else goes on in their time. */
const WAITING = new Set(['bundle', 'paths'])

/**
 * Files that wait are spread evenly over those that compute: side by side they use the computer well, while several that
 * start whole installations at once would only wait for each other. No test may depend on this order.
 */
export class Interleaved extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const waiting = sorted.filter(({ project }) => WAITING.has(project.name))
    const computing = sorted.filter(({ project }) => !WAITING.has(project.name))
    // None is left for the end, where it would run alone.
    const share = Math.floor(computing.length / (waiting.length + 1))
    const spread = waiting.flatMap((file, n) => [file, ...computing.slice(n * share, (n + 1) * share)])
    return [...spread, ...computing.slice(waiting.length * share)]
  }
}
