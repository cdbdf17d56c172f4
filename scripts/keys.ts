// `npm run keys -- --name laptop`: makes an API key straight in the database, which is how the first one comes about.
// `npm run keys -- dkim --domain example.com`: makes a DKIM key; nothing is written or sent anywhere.
import { parseArgs } from 'node:util'
import { createApiKey } from '../local/api-key.ts'
import { holder } from '../local/lock.ts'
import { lockOf, readState, STATE_FOLDER } from '../local/state.ts'
import { SCOPES, type Scope } from '../src/auth/scopes.ts'
import { explainDkimKey, KeyOptionsError, newDkimKey } from './keys/dkim.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string' },
    scopes: { type: 'string' },
    dir: { type: 'string' },
    domain: { type: 'string' },
    selector: { type: 'string', default: 's1' },
    bits: { type: 'string', default: '2048' },
  },
})
if (positionals[0] === 'dkim' && values.domain) {
  try {
    const { domain, selector, bits } = values
    console.log(explainDkimKey(await newDkimKey({ domain, selector, bits: Number(bits) })))
    process.exit(0)
  } catch (error) {
    if (!(error instanceof KeyOptionsError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}
const name = values.name?.trim()
if (!name || positionals.length > 0) {
  console.error(`npm run keys -- --name NAME [--scopes ${SCOPES.join(',')}] [--dir FOLDER]
  An API key. Uses DATABASE_URL, or the local stack when it is running.
npm run keys -- dkim --domain DOMAIN [--selector s1] [--bits 2048]
  A DKIM key: the DNS record, and what goes into ACCOUNTS. Nothing is written or sent.`)
  process.exit(1)
}
const scopes = (values.scopes ?? SCOPES.join(',')).split(',').map((scope) => scope.trim())
const unknown = scopes.filter((scope) => !SCOPES.some((known) => known === scope))
if (unknown.length > 0) {
  console.error(`unknown scope: ${unknown.join(', ')}; there are ${SCOPES.join(', ')}`)
  process.exit(1)
}
const url = process.env.DATABASE_URL ?? (await localDatabase(values.dir ?? STATE_FOLDER))
if (!url) {
  console.error('no DATABASE_URL, and no local stack is running (npm run dev)')
  process.exit(1)
}
try {
  const key = await createApiKey(url, name, [...new Set(scopes)] as Scope[])
  // The key alone on standard output, for a script to read.
  console.error(`${name} may ${scopes.join(', ')}. This is shown once:`)
  console.log(key)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

async function localDatabase(dir: string): Promise<string | undefined> {
  return (await holder(lockOf(dir))) === null ? undefined : readState(dir).database_url
}
