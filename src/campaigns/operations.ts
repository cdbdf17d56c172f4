// What /campaigns answers, as OpenAPI describes it; routes.ts says what each does. Those that change a campaign's status are in
// run-operations.ts.
import { fileAnswer } from '../exports/schema.ts'
import { operation } from '../http/route.ts'
import { pageOf } from '../http/schema.ts'
import { campaignStats, statsQuery } from '../stats/schema.ts'
import { campaignCheck } from './check/schema.ts'
import {
  campaign,
  campaignParams,
  campaignPatch,
  campaignQuery,
  delivery,
  deliveryParams,
  deliveryQuery,
  deliveryTimeline,
  newCampaign,
  recipientsQuery,
  runningCampaign,
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
    responses: { 200: answers('The campaign, with how far it is and what holds it up', runningCampaign) },
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
    summary: 'Delete a draft, or a campaign that was cancelled before it started',
    description: 'A campaign that has started is kept: its numbers are the record of what was sent.',
    request: { params },
    responses: { 204: { description: 'Deleted' } },
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

export const check = operation(
  { scope: 'read', idempotency: 'needless' },
  {
    method: 'post',
    path: '/campaigns/{id}/check',
    tags,
    summary: 'Check a campaign before it is sent',
    description:
      'Renders it for up to a hundred of its recipients, counts its audience, and says how long it takes and what it costs. Errors keep it from starting; sending runs the same check and shows the same warnings. Changes nothing.',
    request: { params },
    responses: { 200: answers('What was found', campaignCheck) },
  },
)

export const stats = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/campaigns/{id}/stats',
    tags,
    summary: "A campaign's numbers",
    request: { params, query: statsQuery },
    responses: { 200: answers('Counters, rates, links, series and breakdowns', campaignStats) },
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

export const deliveryOf = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/campaigns/{id}/deliveries/{subscriber_id}',
    tags,
    summary: "One recipient's mail, and all that became of it",
    request: { params: deliveryParams },
    responses: { 200: answers('The delivery with its timeline', deliveryTimeline) },
  },
)

export const recipients = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/campaigns/{id}/recipients',
    tags,
    summary: 'All recipients of a campaign, or those who opened, clicked and so on, as a file',
    description:
      'By subscriber id. `opened` and `clicked` mean what they mean in an audience: machines do not count, what cannot be told does. The columns have all and `human` counts side by side.',
    request: { params, query: recipientsQuery },
    responses: fileAnswer,
  },
)
