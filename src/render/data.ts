import type { Snapshot } from '../campaigns/snapshot.ts'

/** The person a mail is rendered for. */
export interface TemplatePerson {
  email: string
  first_name: string | null
  last_name: string | null
  attributes: Record<string, unknown>
  timezone: string | null
  locale: string | null
}

/** Pages that are a recipient's own. Empty where a mail names none of that kind. */
export interface OwnAddresses {
  unsubscribe_url: string
  web_view_url: string
  preferences_url: string
}

/** What a template may name: the documented variables, and nothing else. */
export function templateData(
  person: TemplatePerson,
  snapshot: Pick<Snapshot, 'sender' | 'campaign' | 'list'>,
  { unsubscribe_url, web_view_url, preferences_url }: OwnAddresses,
) {
  const { email, first_name, last_name, attributes, timezone, locale } = person
  const { sender, campaign, list } = snapshot
  return {
    email,
    first_name,
    last_name,
    attributes,
    timezone,
    locale,
    unsubscribe_url,
    web_view_url,
    preferences_url,
    sender: { from_name: sender.from_name, from_email: sender.from_email, postal_address: sender.postal_address },
    campaign: { id: campaign.id, name: campaign.name },
    list: { id: list.id, name: list.name },
  }
}
