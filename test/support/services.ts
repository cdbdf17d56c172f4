// Started once for a whole run, shared by every project that needs more than Node: one Postgres with a migrated template
// database, Neon's endpoint over it, and one Redis endpoint per engine the computer has.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../local/migrate.ts'
import { startNeon } from '../../local/neon.ts'
import { startPostgres } from '../../local/postgres.ts'
import { redisEngines, startRedis } from '../../local/redis.ts'
import { bundleWorkers } from './bundles.ts'
import { DOCTOR_ZONE, startZone } from './dns-zone.ts'
import type { RedisAddress } from './provided.ts'
import { startProviders } from './providers.ts'
import { answerByPath, startReceiver } from './receiver.ts'

/** Projects that run without any service. */
const ALONE = new Set(['unit', 'bundle'])

/** Projects that run the bundled Workers. */
const BUNDLED = new Set(['api', 'paths'])

/** Cloned for each test file. Nobody connects to it after its migration: Postgres copies only an idle database. */
const TEMPLATE = 'emk_template'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stops: (() => Promise<void> | void)[] = []
  const stop = async () => {
    for (const end of stops.reverse()) await end()
  }
  const projects = project.vitest.projects.map(({ name }) => name)
  if (projects.every((name) => ALONE.has(name))) return stop
  try {
    const folder = mkdtempSync(join(tmpdir(), 'emk-test-'))
    stops.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

    // Meanwhile; a failure is met below.
    const bundles = projects.some((name) => BUNDLED.has(name)) ? bundleWorkers(folder) : undefined
    bundles?.catch(() => {})

    const postgres = await startPostgres({ dir: join(folder, 'postgres'), durable: false })
    stops.push(postgres.stop)
    await postgres.createDatabase(TEMPLATE)
    await migrate(postgres.url(TEMPLATE))
    const neon = await startNeon()
    stops.push(neon.stop)

    const redis: RedisAddress[] = []
    for (const engine of redisEngines()) {
      const token = `test-${engine}`
      const endpoint = await startRedis({ dir: join(folder, engine), engine, token })
      stops.push(endpoint.stop)
      redis.push({ engine, url: endpoint.url, token })
    }

    if (projects.includes('sender')) {
      const providers = await startProviders()
      stops.push(providers.stop)
      for (const [name, url] of Object.entries(providers.urls))
        project.provide(name as keyof typeof providers.urls, url)
    }
    if (projects.includes('api')) {
      const zone = await startZone(DOCTOR_ZONE)
      stops.push(zone.stop)
      project.provide('dns', zone.url)
      const receiver = await startReceiver()
      stops.push(receiver.stop)
      receiver.answer = answerByPath(receiver)
      project.provide('receiver', receiver.url)
    }
    if (bundles) project.provide('bundles', await bundles)
    project.provide('postgres', postgres.url('postgres'))
    project.provide('template', TEMPLATE)
    project.provide('neon', neon.host)
    project.provide('redis', redis)
    return stop
  } catch (error) {
    // A set-up that throws gets no teardown.
    await stop()
    throw error
  }
}
