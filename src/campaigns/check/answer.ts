import { estimateCost } from '../../costs/estimate.ts'
import { Problem } from '../../http/problem.ts'
import { candidateAccounts } from '../../providers/candidates.ts'
import { readPlan } from '../plan.ts'
import { type Checking, checkCampaign } from './check.ts'
import { forecastOf } from './forecast.ts'

/**
 * Everything there is to know of a campaign before it starts: what is wrong with it, whom it reaches, how long it takes and
 * what it costs. Changes nothing.
 *
 * @param scheduled_at - when it will start, if it is scheduled
 * @throws {Problem} wrong_status for one that has started: its content is fixed
 */
export async function answerCheck(
  s: Checking,
  campaign: { id: number; status: string; started_at: string | null; scheduled_at: string | null },
) {
  const { id, scheduled_at } = campaign
  const plan = campaign.started_at === null && campaign.status !== 'cancelled' && (await readPlan(s.db, id))
  if (!plan)
    throw new Problem('wrong_status', `Campaign ${id} is ${campaign.status}; only one that may start is checked.`)
  const { errors, warnings, size, audience, accounts } = await checkCampaign(s, plan)
  if (!audience) return { errors, warnings, size, audience: null, forecast: null, cost: null }
  const { lacking: _lacking, ...numbers } = audience
  const mails = numbers.count - numbers.suppressed - numbers.not_in_allowlist
  const candidates = candidateAccounts(accounts ?? [], plan.sender.account, plan.sender.from_email)
  const now = s.now()
  const forecast = forecastOf(mails, candidates, scheduled_at === null ? now : new Date(scheduled_at), now)
  const cost = estimateCost(mails, candidates[0]?.kind ?? null, forecast?.seconds ?? 0)
  return {
    errors,
    warnings,
    size,
    audience: { ...numbers, mails },
    forecast,
    cost: { ...cost, assumptions: { ...cost.assumptions } },
  }
}
