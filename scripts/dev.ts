// `npm run dev`: the local stack, until Ctrl-C. `--help` lists the options.
import { parseArgs } from 'node:util'
import { startStack } from '../local/stack.ts'
import { PORTS, type Ports, STATE_FOLDER } from '../local/state.ts'

const HELP = `npm run dev -- [options]

  --reset              forget all data first
  --dir FOLDER         keep the data elsewhere than in .local
  --tick SECONDS       time between two runs of cron (default 5, 0: never)
${PORTS.map((name) => `  ${`--${name}-port PORT`.padEnd(21)}(or EMK_${name.toUpperCase()}_PORT)`).join('\n')}
                       a port that must be this one; otherwise the last run's, or a free one
`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    reset: { type: 'boolean' },
    dir: { type: 'string' },
    tick: { type: 'string' },
    ...Object.fromEntries(PORTS.map((name) => [`${name}-port`, { type: 'string' as const }])),
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

const ports: Partial<Ports> = {}
for (const name of PORTS) {
  const text = (values as Record<string, unknown>)[`${name}-port`] ?? process.env[`EMK_${name.toUpperCase()}_PORT`]
  if (text !== undefined) ports[name] = whole(text, `--${name}-port`)
}

// Asked to end while starting: it ends as soon as it has started.
let ending = false
const asked = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (ending) return
      ending = true
      console.log('\nstopping')
      resolve()
    })
  }
})

const dir = values.dir ?? STATE_FOLDER
try {
  const stack = await startStack({
    dir,
    reset: values.reset ?? false,
    ports,
    ...(values.tick === undefined ? {} : { tick_seconds: whole(values.tick, '--tick') }),
    say: (line) => console.log(`- ${line}`),
  })
  if (!ending) {
    console.log(`
API        ${stack.api_url}/api/v1
Docs       ${stack.docs_url}
API key    ${stack.api_key}
Inbox      ${stack.inbox_url}   (SMTP on port ${stack.smtp_port})
Postgres   ${stack.database_url}
Redis      ${stack.redis_url}   (token ${stack.redis_token})
Log        ${stack.log}

Data stays in ${dir}; --reset empties it. Ctrl-C stops everything.`)
  }
  await asked
  await stack.stop()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

function whole(text: unknown, option: string): number {
  if (!/^\d{1,5}$/.test(String(text))) {
    console.error(`${option} takes a whole number, not "${text}"`)
    process.exit(1)
  }
  return Number(text)
}
