// What /campaigns answers, as OpenAPI describes it; routes.ts says what each does.
import { operation } from '../http/route.ts'
import { pageOf } from '../http/schema.ts'
import { campaignStats } from '../stats/schema.ts'
import {
  campaign,
  campaignParams,
  campaignPatch,
  campaignQuery,
  delivery,
  deliveryQuery,
  newCampaign,
  resolution,
  resolved,
  schedule,
  startedCampaign,
} from './schema.ts'

const tags = ['Campaigns']
const params = campaignParams
const body = <T>(schema: T) => ({ required: true, content: { 'application/json': { schema } } })
const answers = <T>(description: string, schema: T) => ({ description, content: { 'application/json': { schema } } })

export const create = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/campaigns',
    tags,
    summary: 'Create a campaign',
    request: { body: body(newCampaign) },
    responses: { 201: answers('A draft', campaign) },
  },
)

export const list = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/campaigns',
    tags,
    summary: 'List campaigns',
    request: { query: campaignQuery },
    responses: { 200: answers('A page, newest first', pageOf(campaign)) },
  },
)

export const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/campaigns/{id}',
    tags,
    summary: 'Get a campaign',
    request: { params },
    responses: { 200: answers('The campaign, with how far it is', campaign) },
  },
)

export const update = operation(
  { scope: 'write' },
  {
    method: 'patch',
    path: '/campaigns/{id}',
    tags,
    summary: 'Change a draft',
    request: { params, body: body(campaignPatch) },
    responses: { 200: answers('The changed draft', campaign) },
  },
)

export const remove = operation(
  { scope: 'write' },
  {
    method: 'delete',
    path: '/campaigns/{id}',
    tags,
    summary: 'Delete a draft',
    description: 'A campaign that has started is kept: its numbers are the record of what was sent.',
    request: { params },
    responses: { 204: { description: 'Deleted' } },
  },
)

export const send = operation(
  { scope: 'send' },
  {
    method: 'post',
    path: '/campaigns/{id}/send',
    tags,
    summary: 'Send a campaign now',
    description:
      "Refused with `campaign_not_ready` unless the mail, rendered for recipients of this audience, shows the sender's postal address and a working unsubscribe link in both parts.",
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
      'It stays with the version that its template has now, and is checked when it starts. If it cannot start then, it goes back to draft and `status_reason` says why.',
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
    summary: 'Pause sending',
    description: 'At most one group (20 mails) per open connection still goes out.',
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
    request: { params },
    responses: { 200: answers('Sending again', campaign) },
  },
)

export const cancel = operation(
  { scope: 'send' },
  {
    method: 'post',
    path: '/campaigns/{id}/cancel',
    tags,
    summary: 'End a campaign for good',
    description: 'Whoever has not been sent to stays `pending` in the ledger and is never mailed.',
    request: { params },
    responses: { 200: answers('Cancelled', campaign) },
  },
)

export const duplicate = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/campaigns/{id}/duplicate',
    tags,
    summary: 'Copy a campaign into a new draft',
    request: { params },
    responses: { 201: answers('The new draft', campaign) },
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
    responses: { 200: answers('How many rows changed', resolved) },
  },
)

export const stats = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/campaigns/{id}/stats',
    tags,
    summary: "A campaign's numbers",
    request: { params },
    responses: { 200: answers('Counters, links and hourly series', campaignStats) },
  },
)

export const deliveries = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/campaigns/{id}/deliveries',
    tags,
    summary: 'Who got it, and who did not, and why',
    request: { params, query: deliveryQuery },
    responses: { 200: answers('A page, by subscriber id', pageOf(delivery)) },
  },
)
