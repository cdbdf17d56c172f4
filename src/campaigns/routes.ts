import { violates } from '../db/violation.ts'
import { fileResponse } from '../exports/file.ts'
import { deliveryTimeline } from '../feedback/timeline.ts'
import { after, page } from '../http/cursor.ts'
import { invalidField, notFound, Problem } from '../http/problem.ts'
import { createRouter } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import { listDeliveries } from '../ledger/list.ts'
import { howFarBehind } from '../stats/buffered.ts'
import { campaignNumbers, campaignSeries } from '../stats/store.ts'
import { checkCampaignAccount } from './account.ts'
import { answerCheck } from './check/answer.ts'
import { limitedBy } from './limited-by.ts'
import * as op from './operations.ts'
import { NO_SUMS, readCampaign, refuseChange, withSums } from './read.ts'
import { exportRecipients } from './recipients-export.ts'
import { campaignRunRoutes } from './run-routes.ts'
import {
  type CampaignContent,
  deleteUnstarted,
  duplicateCampaign,
  insertCampaign,
  listCampaigns,
  missingReferences,
  updateDraft,
} from './store.ts'

export function campaignRoutes(services: Services) {
  const { db } = services
  const router = createRouter()
  const read = (id: number) => readCampaign(db, id)

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

  router.openapi(op.create, async (c) => {
    const content = c.req.valid('json')
    await checkReferences(content)
    await checkCampaignAccount(services, content)
    const row = await insertCampaign(db, content).catch(checkAgain(content))
    return c.json({ ...row, deliveries: NO_SUMS }, 201)
  })

  router.openapi(op.list, async (c) => {
    const { limit, cursor, status } = c.req.valid('query')
    const [before] = after(cursor, { of: 'campaigns', status }, ['number']) ?? [null]
    const rows = await listCampaigns(db, { before, status, limit })
    const { data, next_cursor } = page(rows, limit, { of: 'campaigns', status }, ({ id }) => [id])
    return c.json({ data: await withSums(db, data), next_cursor }, 200)
  })

  router.openapi(op.get, async (c) => {
    const row = await read(c.req.valid('param').id)
    const limited_by = row.status === 'sending' ? await limitedBy(services, row.id) : null
    return c.json({ ...row, limited_by }, 200)
  })

  router.openapi(op.update, async (c) => {
    const { id } = c.req.valid('param')
    const change: Partial<CampaignContent> = Object.fromEntries(
      Object.entries(c.req.valid('json')).filter(([, value]) => value !== undefined),
    )
    await checkReferences(change)
    if (change.account !== undefined || change.sender_id !== undefined) {
      await checkCampaignAccount(services, change, await read(id))
    }
    if (!(await updateDraft(db, id, change).catch(checkAgain(change)))) await refuseChange(db, id, 'changed', 'a draft')
    return c.json(await read(id), 200)
  })

  router.openapi(op.remove, async (c) => {
    const { id } = c.req.valid('param')
    if (!(await deleteUnstarted(db, id))) {
      await refuseChange(db, id, 'deleted', 'a draft, or one that was cancelled before it started,')
    }
    return c.body(null, 204)
  })

  router.openapi(op.duplicate, async (c) => {
    const { id } = c.req.valid('param')
    const copy = await duplicateCampaign(db, id)
    if (!copy) throw notFound('campaign', id)
    return c.json({ ...copy, deliveries: NO_SUMS }, 201)
  })

  router.openapi(op.check, async (c) => {
    const campaign = await read(c.req.valid('param').id)
    return c.json(await answerCheck(services, campaign), 200)
  })

  router.openapi(op.stats, async (c) => {
    const { id } = c.req.valid('param')
    await read(id)
    const { series: unit } = c.req.valid('query')
    const [numbers, series, behind] = await Promise.all([
      campaignNumbers(db, id),
      campaignSeries(db, id, unit),
      howFarBehind(services),
    ])
    return c.json({ ...numbers, series, ...behind }, 200)
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

  router.openapi(op.deliveryOf, async (c) => {
    const { id, subscriber_id } = c.req.valid('param')
    await read(id)
    const found = await deliveryTimeline(db, id, subscriber_id)
    if (!found) throw notFound('delivery to subscriber', subscriber_id)
    return c.json(found, 200)
  })

  router.openapi(op.recipients, async (c) => {
    const { id } = c.req.valid('param')
    const { format, only, formula_safe } = c.req.valid('query')
    await read(id)
    const file = exportRecipients(db, { campaign_id: id, only, format, formula_safe: formula_safe === 'true' })
    return fileResponse(file, `campaign-${id}-${only ?? 'recipients'}`, format)
  })

  router.route('/', campaignRunRoutes(services))
  return router
}
