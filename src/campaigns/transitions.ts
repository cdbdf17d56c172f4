// Every change of a running campaign's status that needs no check of its content: one conditional UPDATE each.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/** sending -> paused. At most one group per open connection still goes out. @returns false from any other state */
export async function pauseCampaign(db: Database, id: number, reason: string): Promise<boolean> {
  const { rows } = await db.execute(sql`
    update campaigns set status = 'paused', status_reason = ${reason}, updated_at = now()
    where id = ${id} and status = 'sending' returning id`)
  return rows.length > 0
}

/** paused -> sending. Its open batches need new pointers: dispatch it afterwards. @returns false from any other state */
export async function resumeCampaign(db: Database, id: number): Promise<boolean> {
  const { rows } = await db.execute(sql`
    update campaigns set status = 'sending', status_reason = null, updated_at = now()
    where id = ${id} and status = 'paused' returning id`)
  return rows.length > 0
}

/** sending or paused -> cancelled. Rows not yet sent stay open in the ledger and are never sent. */
export async function cancelCampaign(db: Database, id: number): Promise<boolean> {
  const { rows } = await db.execute(sql`
    update campaigns set status = 'cancelled', finished_at = now(), updated_at = now()
    where id = ${id} and status in ('sending', 'paused') returning id`)
  return rows.length > 0
}

/** Says on a sending campaign what holds it up, or that nothing does any more (null). */
export async function noteCampaign(db: Database, id: number, reason: string | null): Promise<void> {
  await db.execute(sql`
    update campaigns set status_reason = ${reason}
    where id = ${id} and status = 'sending' and status_reason is distinct from ${reason}`)
}
