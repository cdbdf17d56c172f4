import { sql } from 'drizzle-orm'
import type { Snapshot } from '../campaigns/snapshot.ts'
import type { Database } from '../db/client.ts'
import { prepareContent, type Renderer } from '../render/render.ts'

/** A campaign as emk-sender keeps it: its snapshot never changes once it has started, so it is read once per isolate. */
export interface LoadedCampaign {
  id: number
  snapshot: Snapshot
  renderer: Renderer
}

/** Campaigns one isolate keeps compiled. A snapshot is some 100 KB. */
const KEPT = 8

/** Reads started campaigns and compiles their content, keeping the latest few. */
export function campaignLoader(db: Database): (id: number) => Promise<LoadedCampaign | null> {
  const kept = new Map<number, Promise<LoadedCampaign | null>>()
  return (id) => {
    const known = kept.get(id)
    if (known) return known
    const loading = load(db, id)
    kept.set(id, loading)
    // What could not be read, or is not there yet, is asked for again.
    loading.then((campaign) => campaign ?? kept.delete(id)).catch(() => kept.delete(id))
    for (const oldest of kept.keys()) if (kept.size > KEPT) kept.delete(oldest)
    return loading
  }
}

async function load(db: Database, id: number): Promise<LoadedCampaign | null> {
  const { rows } = await db.execute<{ snapshot: Snapshot | null }>(sql`select snapshot from campaigns where id = ${id}`)
  const snapshot = rows[0]?.snapshot
  if (!snapshot) return null
  return { id, snapshot, renderer: prepareContent(snapshot) }
}
