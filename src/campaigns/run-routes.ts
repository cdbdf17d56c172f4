import { Problem } from '../http/problem.ts'
import { createRouter } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import { RESOLVE_LIMIT, resolveUnconfirmed } from '../ledger/resolve.ts'
import { type FailureReason, retryFailed } from '../ledger/retry.ts'
import { reopenAccountsOf } from './account.ts'
import { readCampaign, refuseChange } from './read.ts'
import * as op from './run-operations.ts'
import { scheduleCampaign, unscheduleCampaign } from './schedule.ts'
import { sendToNew } from './send-to-new.ts'
import { startCampaign } from './start.ts'
import { cancelCampaign, pauseCampaign, resumeCampaign } from './transitions.ts'
import { underWatch } from './wake.ts'

/** The verbs that start, hold up, end and reopen a campaign. */
export function campaignRunRoutes(services: Services) {
  const { db, dispatch } = services
  const router = createRouter()
  const read = (id: number) => readCampaign(db, id)

  router.openapi(op.send, async (c) => {
    const { id } = c.req.valid('param')
    await read(id)
    const warnings = await startCampaign(services, id)
    return c.json({ ...(await read(id)), warnings }, 202)
  })

  router.openapi(op.setSchedule, async (c) => {
    const { id } = c.req.valid('param')
    const { scheduled_at, max_late_minutes } = c.req.valid('json')
    await read(id)
    if (Date.parse(scheduled_at) <= services.now().getTime()) {
      throw new Problem('validation_failed', 'scheduled_at must be in the future; to send now, call /send.', {
        errors: [{ field: 'scheduled_at', detail: 'must be in the future' }],
      })
    }
    await scheduleCampaign(services, id, scheduled_at, max_late_minutes)
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
    if (!(await pauseCampaign(db, id, 'Paused by its owner.'))) {
      await refuseChange(db, id, 'paused', 'a sending or scheduled one')
    }
    return c.json(await read(id), 200)
  })

  router.openapi(op.resume, async (c) => {
    const { id } = c.req.valid('param')
    const { started_at, scheduled_at } = await read(id)
    const at = started_at === null && scheduled_at !== null ? Date.parse(scheduled_at) : 0
    if (!(await underWatch(services, id, at, () => resumeCampaign(db, id)))) {
      await refuseChange(db, id, 'resumed', 'a paused one')
    }
    const campaign = await read(id)
    if (campaign.status === 'sending') {
      await reopenAccountsOf(services, id)
      await dispatch.send({ campaign_id: id, enqueued: 0 })
    }
    return c.json(campaign, 200)
  })

  router.openapi(op.cancel, async (c) => {
    const { id } = c.req.valid('param')
    if (!(await cancelCampaign(db, id))) {
      await refuseChange(db, id, 'cancelled', 'a sending, paused or scheduled one')
    }
    return c.json(await read(id), 200)
  })

  router.openapi(op.resolve, async (c) => {
    const { id } = c.req.valid('param')
    const { as } = c.req.valid('json')
    const { started_at, status } = await read(id)
    if (started_at === null) await refuseChange(db, id, 'resolved', 'one that has started')
    if (as === 'resend' && status === 'cancelled') {
      await refuseChange(db, id, 'sent again', 'a sending, paused or sent one')
    }
    const changed = await underWatch(services, id, 0, async () => {
      let sum = 0
      for (let some = RESOLVE_LIMIT; some === RESOLVE_LIMIT; sum += some) some = await resolveUnconfirmed(db, id, as)
      return sum
    })
    if (as === 'resend' && changed > 0) await dispatch.send({ campaign_id: id, enqueued: 0 })
    return c.json({ changed }, 200)
  })

  router.openapi(op.retryFailed, async (c) => {
    const { id } = c.req.valid('param')
    const { reasons } = c.req.valid('json')
    await read(id)
    const changed = await underWatch(services, id, 0, () => putBack(id, reasons ?? null))
    // One that is paused takes no harm from it.
    if (changed > 0) await dispatch.send({ campaign_id: id, enqueued: 0 })
    return c.json({ changed }, 200)
  })

  async function putBack(id: number, reasons: readonly FailureReason[] | null): Promise<number> {
    let sum = 0
    for (let after: number | null = 0; after !== null; ) {
      const retried = await retryFailed(db, id, reasons, after)
      if (!retried) return sum > 0 ? sum : refuseChange(db, id, 'tried again', 'a sending, paused or sent one')
      sum += retried.changed
      after = retried.next
    }
    return sum
  }

  router.openapi(op.sendToNew, async (c) => {
    const { id } = c.req.valid('param')
    await sendToNew(services, await read(id))
    return c.json(await read(id), 202)
  })

  return router
}
