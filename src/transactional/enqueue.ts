import { eq } from 'drizzle-orm'
import type { Services } from '../http/services.ts'
import { transactional_sends } from './table.ts'

/**
 * Puts pointers to a send's mails on the queue.
 *
 * @throws what the queue throws. Whoever asked hears of the failure and asks again: the send is taken back, so that nothing
 *   of it goes out by then
 */
export async function enqueueSend(
  { db, transactional }: Pick<Services, 'db' | 'transactional'>,
  { id, queued }: { id: number; queued: readonly number[] },
): Promise<void> {
  if (queued.length === 0) return
  try {
    await transactional.sendBatch(queued.map((mail_id) => ({ body: { mail_id } })))
  } catch (error) {
    await db.delete(transactional_sends).where(eq(transactional_sends.id, id))
    throw error
  }
}
