// `DATABASE_URL=postgres://... npm run migrate`: brings a database up to date.
import { migrate } from '../local/migrate.ts'

const url = process.env.DATABASE_URL
if (!url || !URL.canParse(url)) {
  console.error('npm run migrate wants DATABASE_URL, a postgres:// connection string')
  process.exit(1)
}
const { hostname, pathname } = new URL(url)
if (/^[^.]+-pooler\./.test(hostname)) {
  console.error(
    `${hostname} is Neon's pooled address, which cannot hold a migration's lock. Use the direct one: ${hostname.replace('-pooler.', '.')}`,
  )
  process.exit(1)
}
try {
  await migrate(url)
  console.log(`${hostname}${pathname} is up to date`)
} catch (error) {
  for (let e = error; e instanceof Error; e = e.cause) console.error(e.message)
  process.exit(1)
}
