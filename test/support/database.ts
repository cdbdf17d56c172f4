// A database of its own for a test file. Works in Node and inside workerd: it speaks to Postgres by Neon's endpoint only.
import { neon } from '@neondatabase/serverless'
import { inject } from 'vitest'
import { connectDatabase, type Database } from '../../src/db/client.ts'
import './provided.ts'

export interface TestDatabase {
  db: Database
  /** DATABASE_URL of code under test. */
  url: string
  /** NEON_PROXY of code under test. */
  proxy: string
  /** A raw statement: bigint, numeric and timestamptz come back as strings. */
  sql<Row = Record<string, unknown>>(text: string, params?: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

/** Clones the migrated template: every table is there, every table is empty. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const proxy = inject('neon')
  const server = inject('postgres')
  // The driver's settings are the process's own: they hold for `neon` from here on.
  connectDatabase(server, proxy)
  const name = await cloneTemplate(server)
  const url = server.replace(/postgres$/, name)
  const db = connectDatabase(url, proxy)
  return {
    db,
    url,
    proxy,
    sql: async <Row>(text: string, params: unknown[] = []) => (await neon(url).query(text, params)) as Row[],
    async close() {
      await neon(server).query(`drop database ${name} with (force)`)
    },
  }
}

/** Copying the template writes to the disk, and on a busy one that may take longer than a statement may: then once more. */
async function cloneTemplate(server: string, tries = 3): Promise<string> {
  const name = `t_${crypto.randomUUID().replaceAll('-', '')}`
  try {
    await neon(server).query(`create database ${name} template ${inject('template')}`)
    return name
  } catch (error) {
    if (tries === 1) throw error
    return cloneTemplate(server, tries - 1)
  }
}
