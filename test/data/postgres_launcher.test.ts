import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { holder, LockHeld } from '../../local/lock.ts'
import { startPostgres } from '../../local/postgres.ts'

const folder = mkdtempSync(join(tmpdir(), 'emk-postgres-'))
const dir = join(folder, 'data')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const LAUNCHER = new URL('../../local/postgres.ts', import.meta.url).href
const postmaster = () => Number(readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n')[0])
const alive = (pid: number) => existsSync(`/proc/${pid}`) || processAnswers(pid)
function processAnswers(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}

async function count(url: string, statement = 'select count(*)::int as n from kept'): Promise<number> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows[0]?.n
  } finally {
    await client.end()
  }
}

test('a folder serves one process: the second start says who has it', async () => {
  const first = await startPostgres({ dir, durable: false })
  await first.createDatabase('app')
  await first.createDatabase('app')
  await count(first.url('app'), 'create table kept as select generate_series(1, 10)')
  const second = await startPostgres({ dir, durable: false }).catch((error: unknown) => error)
  expect(second).toBeInstanceOf(LockHeld)
  expect(second).toMatchObject({ pid: process.pid })
  expect(await count(first.url('app'))).toBe(10)
  await first.stop()
  expect(existsSync(join(dir, 'postmaster.pid'))).toBe(false)
})

/** Starts Postgres in a process of its own and kills that process outright. */
async function startAndKill(): Promise<number> {
  const script = `
    import { startPostgres } from ${JSON.stringify(LAUNCHER)}
    await startPostgres({ dir: ${JSON.stringify(dir)}, durable: false })
    console.log('up')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  expect(await holder(`${dir}.lock`)).toBe(child.pid)
  const pid = postmaster()
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
  return pid
}

test('a starter that is killed takes its server along', async () => {
  const pid = await startAndKill()
  await until(() => !alive(pid))
  const again = await startPostgres({ dir, durable: false })
  expect(await count(again.url('app'))).toBe(10)
  await again.stop()
})

test('a server left running is ended by the next start, even in the moment of its starter’s death', async () => {
  const orphan = await startAndKill()
  const again = await startPostgres({ dir, durable: false })
  expect(alive(orphan)).toBe(false)
  expect(postmaster()).not.toBe(orphan)
  expect(await count(again.url('app'))).toBe(10)
  await again.stop()
})

test('a pid file that names some other process does not block, nor hurt that process', async () => {
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  try {
    const lines = [bystander.pid, dir, 0, 0, '', '127.0.0.1', '', 'ready']
    writeFileSync(join(dir, 'postmaster.pid'), `${lines.join('\n')}\n`)
    const again = await startPostgres({ dir, durable: false })
    expect(await count(again.url('app'))).toBe(10)
    await again.stop()
    expect(bystander.exitCode).toBeNull()
    expect(bystander.signalCode).toBeNull()
  } finally {
    bystander.kill()
  }
})

test('a folder whose creation was interrupted is made anew', async () => {
  rmSync(join(dir, 'PG_VERSION'))
  const again = await startPostgres({ dir, durable: false })
  expect(await count(again.url('postgres'), 'select 1 as n')).toBe(1)
  await again.stop()
})

test('a port in use is an error that shows Postgres’ own words', async () => {
  const first = await startPostgres({ dir, durable: false })
  const second = startPostgres({ dir: join(folder, 'other'), port: first.port, durable: false })
  await expect(second).rejects.toThrow(/did not start[\s\S]*in use/)
  await first.stop()
})
