// The verbs that start, hold up, end and reopen a campaign, as OpenAPI describes them; run-routes.ts says what each does.
import { operation } from '../http/route.ts'
import { campaign, campaignParams, changedRows, resolution, retry, schedule, startedCampaign } from './schema.ts'

const tags = ['Campaigns']
const params = campaignParams
const body = <T>(schema: T, required = true) => ({ required, content: { 'application/json': { schema } } })
const answers = <T>(description: string, schema: T) => ({ description, content: { 'application/json': { schema } } })

export const send = operation(
  { scope: 'send' },
  {
    method: 'post',
    path: '/campaigns/{id}/send',
    tags,
    summary: 'Send a campaign now',
    description:
      "Refused with `campaign_not_ready` where POST /campaigns/{id}/check finds errors: above all unless the mail, rendered for recipients of this audience, shows the sender's postal address and a working unsubscribe link in both parts.",
    request: { params },
    responses: { 202: answers('Sending has begun', startedCampaign) },
  },
)

export const setSchedule = operation(
  { scope: 'send' },
  {
    method: 'post',
    path: '/campaigns/{id}/schedule',
    tags,
    summary: 'Schedule a campaign',
    description:
      'It stays with the version that its template has now, and is checked when it starts. If it cannot start then, or not within `max_late_minutes`, it goes back to draft and `status_reason` says why. A scheduled campaign, paused or not, gets the new time.',
    request: { params, body: body(schedule) },
    responses: { 200: answers('Scheduled', campaign) },
  },
)

export const dropSchedule = operation(
  { scope: 'send' },
  {
    method: 'delete',
    path: '/campaigns/{id}/schedule',
    tags,
    summary: 'Cancel a schedule',
    description: 'Of a scheduled campaign, paused or not.',
    request: { params },
    responses: { 200: answers('A draft again', campaign) },
  },
)

export const pause = operation(
  { scope: 'send' },
  {
    method: 'post',
    path: '/campaigns/{id}/pause',
    tags,
    summary: 'Pause a campaign',
    description:
      'Of one that is sending, at most one group (20 mails) per open connection still goes out. A scheduled one keeps its time and does not start before it is resumed. A campaign also pauses by itself, and `status_reason` says why, when its account is at fault or too many mails fail.',
    request: { params },
    responses: { 200: answers('Paused', campaign) },
  },
)

export const resume = operation(
  { scope: 'send' },
  {
    method: 'post',
    path: '/campaigns/{id}/resume',
    tags,
    summary: 'Resume a paused campaign',
    description:
      'It sends again, or is scheduled again if it had not started: if its time has passed meanwhile, it starts within a minute, unless that is longer ago than `max_late_minutes`. Failures before this do not pause it again.',
    request: { params },
    responses: { 200: answers('Sending or scheduled again', campaign) },
  },
)

export const cancel = operation(
  { scope: 'send' },
  {
    method: 'post',
    path: '/campaigns/{id}/cancel',
    tags,
    summary: 'End a campaign for good',
    description:
      'One that is sending, paused or scheduled. Whoever has not been sent to stays `pending` in the ledger and is never mailed.',
    request: { params },
    responses: { 200: answers('Cancelled', campaign) },
  },
)

export const resolve = operation(
  { scope: 'send' },
  {
    method: 'post',
    path: '/campaigns/{id}/resolve-unconfirmed',
    tags,
    summary: 'Decide on mails whose answer was lost',
    request: { params, body: body(resolution) },
    responses: { 200: answers('How many rows changed', changedRows) },
  },
)

export const retryFailed = operation(
  { scope: 'send' },
  {
    method: 'post',
    path: '/campaigns/{id}/retry-failed',
    tags,
    summary: 'Send again to those whose mail failed',
    description:
      'Their rows are `pending` again, with no attempt made. The campaign may be sending, paused (it stays so) or sent (it is sending again). Whoever has left meanwhile is skipped, and whose mail was opened all the same is left alone.',
    request: { params, body: body(retry, false) },
    responses: { 200: answers('How many rows changed', changedRows) },
  },
)

export const sendToNew = operation(
  { scope: 'send' },
  {
    method: 'post',
    path: '/campaigns/{id}/send-to-new',
    tags,
    summary: 'Send to members who joined since',
    description:
      'Whoever is in the audience now and was not written down before gets what the others got: the content of a started campaign is fixed. The campaign must be sent, or sending with its audience written down; it ends as `sent` by itself, also when there is nobody new.',
    request: { params },
    responses: { 202: answers('Looking for them', campaign) },
  },
)
