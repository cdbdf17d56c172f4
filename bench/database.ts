// A Postgres of a case's own, with the tables of the kit and nothing in them.
import { join } from 'node:path'
import { Client } from 'pg'
import { migrate } from '../local/migrate.ts'
import { startNeon } from '../local/neon.ts'
import { startPostgres } from '../local/postgres.ts'
import { connectDatabase, type Database } from '../src/db/client.ts'

export interface BenchDatabase {
  /** As the Workers have it: by Neon's HTTP protocol. */
  db: Database
  /** Straight to Postgres. */
  sql: Client['query']
  /** What a Worker needs to reach it: DATABASE_URL and NEON_PROXY. */
  url: string
  proxy: string
  /** The server's own folder, where it may write files. */
  data_dir: string
  stop(): Promise<void>
}

/** @param options.durable - whether what is committed is forced to the disk, as at Neon */
export async function startDatabase(dir: string, options: { durable: boolean }): Promise<BenchDatabase> {
  const ends: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const data_dir = join(dir, 'postgres')
    const postgres = await startPostgres({ dir: data_dir, durable: options.durable })
    ends.push(postgres.stop)
    await postgres.createDatabase('bench')
    const url = postgres.url('bench')
    await migrate(url)
    const neon = await startNeon()
    ends.push(neon.stop)
    const client = new Client({ connectionString: url })
    await client.connect()
    ends.push(() => client.end())
    return {
      db: connectDatabase(url, neon.host),
      sql: client.query.bind(client),
      url,
      proxy: neon.host,
      data_dir,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
