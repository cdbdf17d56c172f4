// "Is the one who wrote this file still there?", answered by asking it: the file names a loopback port and a word, and
// whoever holds the lock says that word to everyone who connects. Unlike a process id, a port cannot be taken for held
// when its owner is dead and its number was given to somebody else.
import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { dirname } from 'node:path'

/** Longest wait for the holder's word, in ms. */
const ANSWER_TIMEOUT = 1000

export interface Lock {
  release(): Promise<void>
}

/** Somebody alive holds the lock. */
export class LockHeld extends Error {
  override name = 'LockHeld'
  readonly pid: number
  constructor(file: string, pid: number) {
    super(`${file} is held by process ${pid}, which is running`)
    this.pid = pid
  }
}

/**
 * Takes the lock, over a dead holder's if need be.
 *
 * @throws {LockHeld} when its holder is alive
 */
export async function takeLock(file: string): Promise<Lock> {
  const word = randomUUID()
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.end(word)
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
  server.unref()
  mkdirSync(dirname(file), { recursive: true })
  // Linked into place, so that the file never exists half written.
  const draft = `${file}.${word}`
  writeFileSync(draft, JSON.stringify({ port, word, pid: process.pid }))
  try {
    for (;;) {
      try {
        linkSync(draft, file)
        break
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      }
      const pid = await holder(file)
      if (pid !== null) {
        server.close()
        throw new LockHeld(file, pid)
      }
      rmSync(file, { force: true })
    }
  } finally {
    rmSync(draft, { force: true })
  }
  return {
    async release() {
      rmSync(file, { force: true })
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The living holder's process id, or null. */
export async function holder(file: string): Promise<number | null> {
  let held: { port: number; word: string; pid: number }
  try {
    held = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
  const said = await new Promise<string>((resolve) => {
    const socket = connect(held.port, '127.0.0.1')
    let text = ''
    socket.setTimeout(ANSWER_TIMEOUT, () => socket.destroy())
    socket.on('data', (data) => {
      text += data
    })
    socket.on('error', () => resolve(''))
    socket.on('close', () => resolve(text))
  })
  return said === held.word ? held.pid : null
}
