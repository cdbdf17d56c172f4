// What processes use, from /proc: Linux only, elsewhere there are none to be found.
import { readdirSync, readFileSync } from 'node:fs'

/** The kernel counts time for /proc in hundredths of a second (USER_HZ), whatever its own clock is. In ms. */
const TICK = 10

export interface Usage {
  /** User and system time of all threads since their start, in ms. */
  cpu_ms: number
  /** Memory in use, in bytes. */
  resident: number
}

/** Every workerd that descends from this process. */
export function ourWorkerds(): number[] {
  const parents = new Map<number, { parent: number; name: string }>()
  for (const entry of processes()) {
    const stat = statOf(entry)
    if (stat) parents.set(entry, { parent: Number(stat.fields[1]), name: stat.name })
  }
  const isOurs = (pid: number): boolean => {
    const parent = parents.get(pid)?.parent
    return parent !== undefined && parent > 1 && (parent === process.pid || isOurs(parent))
  }
  return [...parents].filter(([pid, { name }]) => name === 'workerd' && isOurs(pid)).map(([pid]) => pid)
}

/** The sum over these processes; null when there are none, or one has ended. */
export function usageOf(pids: readonly number[]): Usage | null {
  if (pids.length === 0) return null
  const sum: Usage = { cpu_ms: 0, resident: 0 }
  for (const pid of pids) {
    const stat = statOf(pid)
    const resident = residentOf(pid)
    if (!stat || resident === null) return null
    // utime and stime are the 14th and 15th field of proc_pid_stat(5); the first two come before the name's end.
    sum.cpu_ms += (Number(stat.fields[11]) + Number(stat.fields[12])) * TICK
    sum.resident += resident
  }
  return sum
}

function processes(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function statOf(pid: number): { name: string; fields: string[] } | null {
  const text = read(`/proc/${pid}/stat`)
  if (text === null) return null
  // The name stands in brackets and may hold anything.
  const end = text.lastIndexOf(')')
  return { name: text.slice(text.indexOf('(') + 1, end), fields: text.slice(end + 2).split(' ') }
}

function residentOf(pid: number): number | null {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  return kilobytes === undefined ? null : Number(kilobytes) * 1024
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
