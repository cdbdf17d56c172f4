import { importsOf, readSources, type Source, withoutComments } from './sources.ts'

interface Wall {
  /** Files the wall stands around. */
  inside: RegExp
  /** True when a file inside may not import this. */
  forbids: (target: string) => boolean
  why: string
}

const TRACKING_MAY = /^src\/(tokens|redis|pages|tracking)\/|^src\/log\.ts$/

const WALLS: readonly Wall[] = [
  {
    inside: /^src\/tracking\//,
    forbids: (target) => !TRACKING_MAY.test(target),
    why: 'src/tracking may import only tokens/, redis/, pages/ and tracking/',
  },
  {
    inside: /^src\/(render|mime)\//,
    forbids: (target) => /^src\/(db|redis|http)\/|^drizzle-orm|^@neondatabase\/|^@upstash\/|^hono/.test(target),
    why: 'src/render and src/mime are pure: no database, Redis or HTTP',
  },
  {
    inside: /^(?!src\/db\/client\.ts$)/,
    forbids: (target) => target.startsWith('@neondatabase/'),
    why: 'only src/db/client.ts imports @neondatabase, types included',
  },
  {
    inside: /^(?!src\/redis\/client\.ts$)/,
    forbids: (target) => target.startsWith('@upstash/redis'),
    why: 'only src/redis/client.ts imports @upstash/redis, types included',
  },
  {
    // Tests inside workerd call an entry's handlers as the platform does.
    inside: /^(?!test\/(?:api|sender|tracking)\/)/,
    forbids: (target) => /^workers\/[^/]+\.ts$/.test(target) && !target.endsWith('.d.ts'),
    why: 'entries in workers/ are imported by nobody',
  },
]

/** Folders that hold the product; tests may look behind walls. */
const PRODUCT = ['src', 'workers', 'scripts', 'local']

/** Import walls that Biome's rules cannot say. */
export function checkWalls(root: string): string[] {
  const tests = readSources(root, ['test', 'bench'])
  return [
    ...readSources(root, PRODUCT).flatMap((source) => broken(source, WALLS)),
    ...tests.flatMap((source) => broken(source, WALLS.slice(-1))),
    ...checkLedgerWall(root),
  ]
}

function broken(source: Source, walls: readonly Wall[]): string[] {
  return importsOf(source).flatMap(({ line, target }) =>
    walls
      .filter((wall) => wall.inside.test(source.path) && wall.forbids(target))
      .map((wall) => `${source.path}:${line} imports ${target}: ${wall.why}`),
  )
}

const LEDGER_WRITES = [
  // SQL, with the table's name written out or put in by drizzle's ${table}.
  /\b(?:update|insert\s+into|delete\s+from|merge\s+into|truncate(?:\s+table)?)\s+(?:only\s+)?["']?(?:\$\{(?:\w+\.)?)?(deliveries|batches)\b/gi,
  // The query builder.
  /\.(?:update|insert|delete)\(\s*(?:\w+\.)?(deliveries|batches)\s*\)/g,
]

/** Only src/ledger changes the tables `deliveries` and `batches`. */
function checkLedgerWall(root: string): string[] {
  return readSources(root, ['src', 'workers'])
    .filter((source) => !source.path.startsWith('src/ledger/'))
    .flatMap((source) => {
      const text = withoutComments(source.text)
      return LEDGER_WRITES.flatMap((pattern) =>
        [...text.matchAll(pattern)].map((match) => {
          const line = text.slice(0, match.index).split('\n').length
          return `${source.path}:${line} changes ${match[1]}: only src/ledger may`
        }),
      )
    })
}
