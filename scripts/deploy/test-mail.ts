import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, ApiError } from './api.ts'
import type { Settings } from './settings.ts'

const NAME = 'deployment test'

const MJML = `<mjml>
  <mj-body>
    <mj-section>
      <mj-column>
        <mj-text font-size="20px">It works.</mj-text>
        <mj-text>This mail left your own installation: template, queue, sending service and tracking included.</mj-text>
        <mj-text><a href="https://example.com/">A link that is tracked</a></mj-text>
        <mj-text font-size="12px">{{sender.postal_address}} · <a href="{{unsubscribe_url}}">Unsubscribe</a></mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>`

interface Row {
  id: number
  name: string
}

interface Campaign extends Row {
  status: string
  status_reason: string | null
  deliveries: { sent: number; failed: number; skipped: number; unconfirmed: number }
}

interface Delivery {
  state: string
  reason: string | null
  answer: string | null
}

/**
 * One campaign to one recipient, the way any campaign goes. Its id is kept before it starts, so that a second run looks
 * at the same campaign: no second mail.
 *
 * @param keep called with the campaign's id, or '' to forget a campaign that came to nothing
 * @param patience_ms how long the mail may take
 * @returns what became of it, for a person
 * @throws with the reason when it was not sent
 */
export async function sendTestMail(
  api: Api,
  settings: Settings,
  keep: (campaign_id: string) => void,
  patience_ms: number,
): Promise<string> {
  const earlier = settings.TEST_CAMPAIGN === '' ? undefined : await findCampaign(api, settings.TEST_CAMPAIGN)
  if (earlier?.status === 'sent') return `sent to ${settings.TEST_RECIPIENT} in an earlier run (campaign ${earlier.id})`
  const campaign = earlier ?? (await createCampaign(api, settings))
  keep(String(campaign.id))

  if (campaign.status === 'draft') await api.call('POST', `/campaigns/${campaign.id}/send`)
  if (campaign.status === 'paused') await api.call('POST', `/campaigns/${campaign.id}/resume`)

  const deadline = Date.now() + patience_ms
  for (;;) {
    const { status, status_reason, deliveries } = await api.call<Campaign>('GET', `/campaigns/${campaign.id}`)
    if (status === 'sent' && deliveries.sent === 1)
      return `sent to ${settings.TEST_RECIPIENT} (campaign ${campaign.id})`
    if (status === 'sent' || status === 'cancelled') {
      keep('')
      throw new Error(`the test mail was not sent: ${await whyNot(api, campaign.id)}`)
    }
    if (status === 'paused') throw new Error(`the test campaign was paused: ${status_reason ?? 'no reason given'}`)
    if (Date.now() > deadline) {
      throw new Error(`the test campaign is still ${status}: ${await whyNot(api, campaign.id)}`)
    }
    await sleep(1_000)
  }
}

async function findCampaign(api: Api, id: string): Promise<Campaign | undefined> {
  try {
    return await api.call<Campaign>('GET', `/campaigns/${id}`)
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  }
}

async function createCampaign(api: Api, settings: Settings): Promise<Campaign> {
  const sender = {
    name: NAME,
    from_name: settings.TEST_FROM_NAME,
    from_email: settings.TEST_FROM_EMAIL,
    postal_address: settings.TEST_POSTAL_ADDRESS,
  }
  const sender_id = await keepRow(api, '/senders', sender)
  const list_id = await keepRow(api, '/lists', { name: NAME })
  const template_id = await keepRow(api, '/templates', { name: NAME, format: 'mjml', source: MJML })
  await subscribe(api, settings.TEST_RECIPIENT, list_id)
  return api.call<Campaign>('POST', '/campaigns', {
    name: NAME,
    subject: 'Your email kit works',
    template_id,
    sender_id,
    audience: { include: [list_id] },
  })
}

interface RowAnswer {
  outcome: string
  kept: string | null
  kept_lists: number[]
  code: string | null
  errors: { field: string; detail: string }[]
}

/** @throws when the address may not be mailed: it opted out, bounced or was deleted before, and stays so */
async function subscribe(api: Api, email: string, list_id: number): Promise<void> {
  const subscribers = [{ email, list_ids: [list_id] }]
  const { data } = await api.call<{ data: RowAnswer[] }>('POST', '/subscribers/bulk', { subscribers })
  const [row] = data
  const fault = row?.errors[0] ? `${row.errors[0].field} ${row.errors[0].detail}` : (row?.code ?? row?.kept)
  if (row === undefined || row.outcome === 'refused' || row.kept !== null || row.kept_lists.length > 0) {
    throw new Error(`TEST_RECIPIENT cannot be mailed (${fault ?? 'it left the list'}): take another address`)
  }
}

/** The row of this name, as deploy.env has it now. */
async function keepRow<New extends { name: string }>(api: Api, path: string, row: New): Promise<number> {
  const found = await api.find<Row>(path, ({ name }) => name === row.name)
  const { id } =
    found === undefined
      ? await api.call<Row>('POST', path, row)
      : await api.call<Row>('PATCH', `${path}/${found.id}`, row)
  return id
}

async function whyNot(api: Api, campaign_id: number): Promise<string> {
  const { data } = await api.call<{ data: Delivery[] }>('GET', `/campaigns/${campaign_id}/deliveries`)
  const [delivery] = data
  if (delivery === undefined) return 'nobody was in its audience'
  return [delivery.state, delivery.reason, delivery.answer].filter((part) => part !== null).join(', ')
}
