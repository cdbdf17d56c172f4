// What cron leaves in Redis of its last run, so that those who watch need not wake the database.
import { sql } from 'drizzle-orm'
import type { Services } from './http/services.ts'

export interface CronNote {
  /** When the last run ended (ISO 8601). */
  ran_at: string | null
  /** When Postgres was last asked, and whether it answered. */
  asked_at: string | null
  database: 'ok' | 'unreachable' | null
  /** Batches with mails that are not settled, as of then; also those of paused campaigns. */
  open_batches: number | null
}

/**
 * Notes a run at its end.
 *
 * @param asks - whether there was work for Postgres, which is then asked once more: it is awake
 */
export async function noteRun({ db, redis, redis_keys, now }: Services, asks: boolean): Promise<void> {
  const noted = redis.multi()
  if (asks) {
    const asked: Asked = { ...(await askDatabase(db)), asked_at: now().toISOString() }
    noted.set(redis_keys.cron_asked, JSON.stringify(asked))
  }
  await noted.set(redis_keys.cron_ran, now().toISOString()).exec()
}

export async function askDatabase(db: Services['db']): Promise<Pick<CronNote, 'database' | 'open_batches'>> {
  try {
    const { rows } = await db.execute<{ n: number }>(sql`select count(*)::int as n from batches where open > 0`)
    return { database: 'ok', open_batches: rows[0]?.n ?? 0 }
  } catch {
    return { database: 'unreachable', open_batches: null }
  }
}

/** @throws when Redis cannot be asked */
export async function readNote({ redis, redis_keys }: Pick<Services, 'redis' | 'redis_keys'>): Promise<CronNote> {
  const [ran_at, asked] = await redis
    .multi()
    .get<string>(redis_keys.cron_ran)
    .get<string>(redis_keys.cron_asked)
    .exec<[string | null, string | null]>()
  return { ran_at, ...(asked ? (JSON.parse(asked) as Asked) : NEVER) }
}

type Asked = Omit<CronNote, 'ran_at'>
const NEVER: Asked = { asked_at: null, database: null, open_batches: null }
