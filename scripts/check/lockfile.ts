import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Locked {
  version?: string
  optionalDependencies?: Record<string, string>
}

/** The computers people run the kit on. */
const PLATFORMS: readonly { name: string; os: string[]; cpu: string }[] = [
  { name: 'darwin-arm64', os: ['darwin'], cpu: 'arm64' },
  { name: 'darwin-x64', os: ['darwin'], cpu: 'x64' },
  { name: 'linux-arm64', os: ['linux'], cpu: 'arm64' },
  { name: 'win32-x64', os: ['win32', 'windows'], cpu: 'x64' },
]

/** Splits a per-platform package's name: `@cloudflare/workerd-darwin-64` is os darwin, cpu x64. */
function platformOf(name: string): { os: string; cpu: string } | undefined {
  const parts = (name.split('/').at(-1) ?? '').split('-')
  const os = parts.find((part) => ['darwin', 'linux', 'win32', 'windows'].includes(part))
  const cpu = parts.find((part) => ['arm64', 'x64', '64'].includes(part))
  return os === undefined || cpu === undefined ? undefined : { os, cpu: cpu === '64' ? 'x64' : cpu }
}

/**
 * npm writes a lock file without complaint when the registry lacks one platform's package of a version, or when it was
 * written on one kind of computer only; `npm ci` then fails on the others.
 */
export function checkLockfile(root: string): string[] {
  const lock: { packages: Record<string, Locked> } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  return [...platformProblems(lock.packages), ...pinProblems(root, lock.packages)]
}

function platformProblems(packages: Record<string, Locked>): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) => {
    // A platform package's own parts (sharp's libvips) are asked for by its owner too.
    if (platformOf(path.split('node_modules/').at(-1) ?? '') !== undefined) return []
    const published = Object.keys(optionalDependencies).filter((name) => platformOf(name) !== undefined)
    return PLATFORMS.flatMap(({ name: platform, os, cpu }) =>
      published
        .filter((name) => {
          const of = platformOf(name)
          return of !== undefined && os.includes(of.os) && of.cpu === cpu
        })
        .filter((name) => found(packages, path, name) === undefined)
        .map((name) => `${path} needs ${name} on ${platform}, which is not in package-lock.json`),
    )
  })
}

/** Looks a dependency up as Node does: beside the package, then in each folder above. */
function found(packages: Record<string, Locked>, from: string, name: string): Locked | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const locked = packages[at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`]
    if (locked !== undefined || at === '') return locked
    if (!at.includes('/node_modules/')) return packages[`node_modules/${name}`]
  }
}

/** Every dependency names one version, and the lock file holds that version. */
function pinProblems(root: string, packages: Record<string, Locked>): string[] {
  const manifest: Record<string, Record<string, string> | undefined> = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  )
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
  return Object.entries(wanted).flatMap(([name, version]) => {
    if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version))
      return [`package.json: ${name} is "${version}", not one version`]
    const locked = packages[`node_modules/${name}`]?.version
    return locked === version
      ? []
      : [`package-lock.json holds ${name} ${locked ?? '(none)'}, package.json wants ${version}`]
  })
}
