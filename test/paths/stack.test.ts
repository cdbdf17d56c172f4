// `npm run dev` as a person runs it: a process of its own, stopped politely, killed, started twice.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import nodemailer from 'nodemailer'
import { afterAll, expect, test } from 'vitest'
import { holder } from '../../local/lock.ts'
import { freePort } from '../../local/ports.ts'
import { startStack } from '../../local/stack.ts'
import { lockOf, readState } from '../../local/state.ts'

const PATIENCE = 180_000
const script = (name: string) => fileURLToPath(new URL(`../../scripts/${name}.ts`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'emk-stack-'))
const dir = join(folder, 'one')
const running: ChildProcess[] = []

afterAll(async () => {
  const alive = running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
  const ends = alive.map((child) => new Promise((resolve) => child.once('exit', resolve)))
  for (const child of alive) child.kill('SIGINT')
  await Promise.all(ends)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

interface Run {
  child: ChildProcess
  output: () => string
  exit: Promise<number | null>
}

function run(args: string[]): Run {
  const child = spawn(process.execPath, [script('dev'), '--dir', dir, '--tick', '0', ...args])
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      text += data
    })
  }
  running.push(child)
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { child, output: () => text, exit }
}

/** Waits for the lines that say what runs where. */
async function up({ child, output }: Run) {
  while (!output().includes('Ctrl-C stops everything')) {
    if (child.exitCode !== null) throw new Error(`the stack did not start:\n${output()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const line = (name: string) => new RegExp(`^${name} +(\\S+)`, 'm').exec(output())?.[1] ?? ''
  const smtp_port = Number(/SMTP on port (\d+)/.exec(output())?.[1])
  return { api: line('API'), docs: line('Docs'), key: line('API key'), inbox: line('Inbox'), smtp_port }
}

const call = (url: string, key: string, init: RequestInit = {}) =>
  fetch(url, { ...init, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' } })

/** Processes that were started for this state folder and still run (Linux only: elsewhere the ports must do). */
function leftovers(): string[] {
  if (!existsSync('/proc/self/cmdline')) return []
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return /^\d+$/.test(pid) && command.includes(dir) ? [`${pid} ${command}`] : []
    } catch {
      return []
    }
  })
}

test('starts, answers, refuses a second start, survives a kill with its data, and stops without a trace', {
  timeout: PATIENCE,
}, async () => {
  const first = run([])
  const stack = await up(first)
  expect((await fetch(stack.docs)).status).toBe(200)
  expect((await call(`${stack.api}/lists`, 'emk_wrong')).status).toBe(401)
  const made = await call(`${stack.api}/lists`, stack.key, { method: 'POST', body: JSON.stringify({ name: 'kept' }) })
  expect(made.status).toBe(201)

  const extra = execFileSync(process.execPath, [script('keys'), '--dir', dir, '--name', 'laptop', '--scopes', 'read'], {
    encoding: 'utf8',
    env: { ...process.env, DATABASE_URL: undefined },
  }).trim()
  expect((await call(`${stack.api}/lists`, extra)).status).toBe(200)
  const refused = await call(`${stack.api}/lists`, extra, { method: 'POST', body: JSON.stringify({ name: 'no' }) })
  expect(refused.status).toBe(403)

  const transport = nodemailer.createTransport({ host: '127.0.0.1', port: stack.smtp_port })
  await transport.sendMail({ from: 'a@example.com', to: 'kept@example.com', subject: 'kept', text: 'kept' })
  transport.close()

  const second = run([])
  expect(await second.exit).toBe(1)
  expect(second.output()).toContain(`already running in ${dir} (process ${first.child.pid})`)
  expect(second.output().trim().split('\n')).toHaveLength(1)

  first.child.kill('SIGKILL')
  await first.exit
  const third = run([])
  const again = await up(third)
  expect(again).toEqual(stack)
  const lists = await (await call(`${again.api}/lists`, again.key)).json()
  expect(lists.data.map(({ name }: { name: string }) => name)).toContain('kept')
  const mails = await (await fetch(`${again.inbox}/api/messages?to=kept@example.com`)).json()
  expect(mails.total).toBe(1)

  third.child.kill('SIGINT')
  expect(await third.exit).toBe(0)
  expect(await holder(lockOf(dir))).toBeNull()
  for (const port of Object.values(readState(dir).ports ?? {})) expect(await freePort(port)).toBe(port)
  expect(leftovers()).toEqual([])
})

test('two stacks run side by side, each with its own data; --reset forgets; cron runs on demand', {
  timeout: PATIENCE,
}, async () => {
  const other = await startStack({ dir: join(folder, 'two'), tick_seconds: 0 })
  try {
    const mine = await startStack({ dir, tick_seconds: 0, reset: true, vars: { SENDING: 'off' } })
    try {
      expect(mine.api_url).not.toBe(other.api_url)
      for (const stack of [mine, other]) {
        await stack.tick()
        const lists = await (await call(`${stack.api_url}/api/v1/lists`, stack.api_key)).json()
        expect(lists.data).toEqual([])
      }
      const foreign = await call(`${mine.api_url}/api/v1/lists`, other.api_key)
      expect(foreign.status).toBe(401)
    } finally {
      await mine.stop()
    }
    expect((await fetch(`${other.api_url}/health`)).status).toBe(200)
  } finally {
    await other.stop()
  }
})

test('a part that does not come up takes the others down and is named', { timeout: PATIENCE }, async () => {
  const taken = await startStack({ dir: join(folder, 'three'), tick_seconds: 0, vars: { SIGNING_KEYS: 'nonsense' } })
    .then((stack) => stack.stop())
    .catch((error: unknown) => error)
  expect(taken).toBeInstanceOf(Error)
  expect(String(taken)).toMatch(/the Workers did not come up[\s\S]*SIGNING_KEYS/)
  expect(await holder(lockOf(join(folder, 'three')))).toBeNull()
})
