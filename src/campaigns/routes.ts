import { violates } from '../db/violation.ts'
import { after, page } from '../http/cursor.ts'
import { invalidField, notFound, Problem } from '../http/problem.ts'
import { createRouter } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import { listDeliveries } from '../ledger/list.ts'
import { RESOLVE_LIMIT, resolveUnconfirmed } from '../ledger/resolve.ts'
import { ledgerSums } from '../ledger/sums.ts'
import { campaignNumbers } from '../stats/store.ts'
import * as op from './operations.ts'
import { scheduleCampaign, unscheduleCampaign } from './schedule.ts'
import { startCampaign } from './start.ts'
import {
  type CampaignContent,
  type CampaignRow,
  deleteDraft,
  duplicateCampaign,
  findCampaign,
  insertCampaign,
  listCampaigns,
  missingReferences,
  updateDraft,
} from './store.ts'
import { cancelCampaign, pauseCampaign, resumeCampaign } from './transitions.ts'
import { underWatch } from './wake.ts'

export function campaignRoutes(services: Services) {
  const { db, redis, redis_keys, dispatch } = services
  const router = createRouter()

  const withSums = async (rows: readonly CampaignRow[]) => {
    const ids = rows.map((row) => row.id)
    const sums = await ledgerSums(db, ids)
    return rows.map((row) => ({ ...row, deliveries: sums.get(row.id) ?? NO_SUMS }))
  }
  const read = async (id: number) => {
    const row = await findCampaign(db, id)
    const [campaign] = row ? await withSums([row]) : []
    if (!campaign) throw notFound('campaign', id)
    return campaign
  }
  const checkReferences = async (content: Partial<CampaignContent>) => {
    const errors = await missingReferences(db, content)
    const [first] = errors
    if (first) throw new Problem('validation_failed', `${first.field} ${first.detail}.`, { errors })
  }
  /** For a sender that went after `checkReferences` had seen it, and a version that the template never had. */
  const checkAgain = (content: Partial<CampaignContent>) => async (error: unknown) => {
    if (violates(error, 'campaigns_sender_id_senders_id_fk')) await checkReferences(content)
    if (violates(error, 'campaigns_template_version')) {
      throw invalidField('template_version', 'names no version of this template')
    }
    throw error
  }
  /** A change of status that did not happen: the campaign is not there, or not in a state that allows it. */
  const refuse = async (id: number, action: string, from: string) => {
    const { status } = await read(id)
    throw new Problem('wrong_status', `Campaign ${id} is ${status}; only a ${from} campaign can be ${action}.`)
  }

  router.openapi(op.create, async (c) => {
    const content = c.req.valid('json')
    await checkReferences(content)
    const row = await insertCampaign(db, content).catch(checkAgain(content))
    return c.json({ ...row, deliveries: NO_SUMS }, 201)
  })

  router.openapi(op.list, async (c) => {
    const { limit, cursor, status } = c.req.valid('query')
    const [before] = after(cursor, { of: 'campaigns', status }, ['number']) ?? [null]
    const rows = await listCampaigns(db, { before, status, limit })
    const { data, next_cursor } = page(rows, limit, { of: 'campaigns', status }, ({ id }) => [id])
    return c.json({ data: await withSums(data), next_cursor }, 200)
  })

  router.openapi(op.get, async (c) => c.json(await read(c.req.valid('param').id), 200))

  router.openapi(op.update, async (c) => {
    const { id } = c.req.valid('param')
    const change = Object.fromEntries(Object.entries(c.req.valid('json')).filter(([, value]) => value !== undefined))
    await checkReferences(change)
    if (!(await updateDraft(db, id, change).catch(checkAgain(change)))) await refuse(id, 'changed', 'draft')
    return c.json(await read(id), 200)
  })

  router.openapi(op.remove, async (c) => {
    const { id } = c.req.valid('param')
    if (!(await deleteDraft(db, id))) await refuse(id, 'deleted', 'draft')
    return c.body(null, 204)
  })

  router.openapi(op.send, async (c) => {
    const { id } = c.req.valid('param')
    await read(id)
    const warnings = await startCampaign(services, id)
    return c.json({ ...(await read(id)), warnings }, 202)
  })

  router.openapi(op.setSchedule, async (c) => {
    const { id } = c.req.valid('param')
    const { scheduled_at } = c.req.valid('json')
    await read(id)
    if (Date.parse(scheduled_at) <= services.now().getTime()) {
      throw new Problem('validation_failed', 'scheduled_at must be in the future; to send now, call /send.', {
        errors: [{ field: 'scheduled_at', detail: 'must be in the future' }],
      })
    }
    await scheduleCampaign(services, id, scheduled_at)
    return c.json(await read(id), 200)
  })

  router.openapi(op.dropSchedule, async (c) => {
    const { id } = c.req.valid('param')
    await read(id)
    await unscheduleCampaign(services, id)
    return c.json(await read(id), 200)
  })

  router.openapi(op.pause, async (c) => {
    const { id } = c.req.valid('param')
    if (!(await pauseCampaign(db, id, 'Paused by its owner.'))) await refuse(id, 'paused', 'sending')
    return c.json(await read(id), 200)
  })

  router.openapi(op.resume, async (c) => {
    const { id } = c.req.valid('param')
    if (!(await underWatch(services, id, 0, () => resumeCampaign(db, id)))) await refuse(id, 'resumed', 'paused')
    await dispatch.send({ campaign_id: id, enqueued: 0 })
    return c.json(await read(id), 200)
  })

  router.openapi(op.cancel, async (c) => {
    const { id } = c.req.valid('param')
    if (!(await cancelCampaign(db, id))) await refuse(id, 'cancelled', 'sending or paused')
    return c.json(await read(id), 200)
  })

  router.openapi(op.duplicate, async (c) => {
    const { id } = c.req.valid('param')
    const copy = await duplicateCampaign(db, id)
    if (!copy) throw notFound('campaign', id)
    return c.json({ ...copy, deliveries: NO_SUMS }, 201)
  })

  router.openapi(op.resolve, async (c) => {
    const { id } = c.req.valid('param')
    const { as } = c.req.valid('json')
    await read(id)
    const changed = await underWatch(services, id, 0, async () => {
      let sum = 0
      for (let some = RESOLVE_LIMIT; some === RESOLVE_LIMIT; sum += some) some = await resolveUnconfirmed(db, id, as)
      return sum
    })
    if (as === 'resend' && changed > 0) await dispatch.send({ campaign_id: id, enqueued: 0 })
    return c.json({ changed }, 200)
  })

  router.openapi(op.stats, async (c) => {
    const { id } = c.req.valid('param')
    await read(id)
    const [numbers, buffered_events] = await Promise.all([
      campaignNumbers(db, id),
      redis.llen(redis_keys.events).catch(() => null),
    ])
    return c.json({ ...numbers, buffered_events }, 200)
  })

  router.openapi(op.deliveries, async (c) => {
    const { id } = c.req.valid('param')
    const { limit, cursor, state } = c.req.valid('query')
    const filters = { of: 'deliveries', id, state }
    const [from] = after(cursor, filters, ['number']) ?? [0]
    await read(id)
    const rows = await listDeliveries(db, { campaign_id: id, after: from, limit: limit + 1, state: state ?? null })
    return c.json(
      page(rows, limit, filters, (row) => [row.subscriber_id]),
      200,
    )
  })

  return router
}

const NO_SUMS = { audience: 0, open: 0, sent: 0, failed: 0, skipped: 0, unconfirmed: 0 }
