// A Redis for computers that have none: the commands the kit uses, in this process, with an append-only file. It gives
// the same answers as real Redis (a test runs both side by side); what it does not know it refuses by name.
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { hashes } from './engine/hashes.ts'
import { keys } from './engine/keys.ts'
import { lists } from './engine/lists.ts'
import { sets } from './engine/sets.ts'
import { sortedSets } from './engine/sorted-sets.ts'
import { type Command, Store, type Value } from './engine/store.ts'
import { strings } from './engine/strings.ts'
import { type RedisBackend, RedisFault, type Reply } from './resp.ts'

const COMMANDS = new Map<string, Command>(
  Object.entries({ ...keys, ...strings, ...lists, ...hashes, ...sets, ...sortedSets }),
)

/** Elements per command when the whole state is written out. */
const CHUNK = 1000

/** A line of the file: what was run, and when, since commands are run again at that same moment. */
interface Entry {
  at: number
  run: string[][]
}

/**
 * Opens the engine on a folder. Each write is in the file before it is answered (not forced to the disk: it survives
 * the process, not a power cut).
 */
export function openEngine(dir: string): RedisBackend {
  mkdirSync(dir, { recursive: true })
  const file = join(dir, 'commands.jsonl')
  const store = replay(file)
  compact(store, file)
  const log = openSync(file, 'a')

  const run = (commands: string[][]): Reply[] => {
    const now = Date.now()
    const replies = commands.map((command) => execute(store, command, now))
    const written = commands.filter(([name = '']) => COMMANDS.get(name.toUpperCase())?.writes)
    if (written.length > 0) append(log, { at: now, run: written })
    return replies
  }
  return {
    pipeline: async (commands) => run(commands),
    async transaction(commands) {
      if (commands.some((command) => unfit(command))) {
        return new RedisFault('EXECABORT Transaction discarded because of previous errors.')
      }
      return run(commands)
    },
    close: async () => closeSync(log),
  }
}

function execute(store: Store, command: string[], now: number): Reply {
  const fault = unfit(command)
  if (fault) return fault
  const [name = '', ...args] = command
  try {
    return COMMANDS.get(name.toUpperCase())?.run(store, args, now) ?? null
  } catch (error) {
    if (error instanceof RedisFault) return error
    throw error
  }
}

/** Why Redis would not even queue this command, or null. */
function unfit(command: string[]): RedisFault | null {
  const [name = '', ...args] = command
  const known = COMMANDS.get(name.toUpperCase())
  if (!known) {
    const beginning = args.map((arg) => `'${arg}' `).join('')
    return new RedisFault(`ERR unknown command '${name}', with args beginning with: ${beginning}`)
  }
  const fits = known.arity < 0 ? command.length >= -known.arity : command.length === known.arity
  return fits ? null : new RedisFault(`ERR wrong number of arguments for '${name.toLowerCase()}' command`)
}

function append(file: number, entry: Entry): void {
  writeSync(file, `${JSON.stringify(entry)}\n`)
}

function replay(file: string): Store {
  const store = new Store()
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return store
  }
  const lines = text.split('\n')
  // The last part is empty, or the line that a killed process did not finish: it was never answered.
  lines.pop()
  for (const line of lines) {
    const { at, run }: Entry = JSON.parse(line)
    for (const command of run) execute(store, command, at)
  }
  return store
}

/** Replaces the file's history by the commands that make its outcome. */
function compact(store: Store, file: string): void {
  const now = Date.now()
  const draft = openSync(`${file}.new`, 'w')
  for (const key of [...store.values.keys()]) {
    const value = store.find(key, now)
    if (!value) continue
    const expiry = store.expiries.get(key)
    const run = rebuild(key, value)
    if (expiry !== undefined) run.push(['PEXPIREAT', key, String(expiry)])
    append(draft, { at: now, run })
  }
  closeSync(draft)
  renameSync(`${file}.new`, file)
}

function rebuild(key: string, value: Value): string[][] {
  switch (value.kind) {
    case 'string':
      return [['SET', key, value.data]]
    case 'list':
      return chunks('RPUSH', key, value.data)
    case 'set':
      return chunks('SADD', key, [...value.data])
    case 'hash':
      return chunks('HSET', key, [...value.data].flat())
    case 'zset':
      return chunks(
        'ZADD',
        key,
        value.data.entries().flatMap(([member, score]) => [String(score), member]),
      )
  }
}

/** An even number of words each, so that pairs stay together. */
function chunks(name: string, key: string, words: string[]): string[][] {
  const commands: string[][] = []
  for (let at = 0; at < words.length; at += CHUNK) commands.push([name, key, ...words.slice(at, at + CHUNK)])
  return commands
}
