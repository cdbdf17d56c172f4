import type { Snapshot } from '../campaigns/snapshot.ts'
import { type OwnAddresses, templateData } from '../render/data.ts'

/** Whom a preview is for when the caller names nobody. */
export const SAMPLE_PERSON = {
  subscriber_id: Number.MAX_SAFE_INTEGER,
  email: 'ada.lovelace@example.com',
  first_name: 'Ada',
  last_name: 'Lovelace',
  attributes: {},
  timezone: 'Europe/London',
  locale: 'en-GB',
}

/** And what it seems to be part of. */
export const SAMPLE_MAILING: Pick<Snapshot, 'sender' | 'campaign' | 'list'> = {
  sender: {
    from_name: 'Example Sender',
    from_email: 'news@example.com',
    reply_to: null,
    postal_address: '1 Example Street, 12345 Example Town',
    account: null,
  },
  campaign: { id: 0, name: 'Preview' },
  list: { id: 0, name: 'Example List' },
}

export const SAMPLE_ADDRESSES: OwnAddresses = {
  unsubscribe_url: 'https://example.com/unsubscribe',
  web_view_url: 'https://example.com/view',
  preferences_url: 'https://example.com/preferences',
}

/** Every variable there is, attributes excepted. */
export const SAMPLE_DATA: Readonly<Record<string, unknown>> = templateData(
  SAMPLE_PERSON,
  SAMPLE_MAILING,
  SAMPLE_ADDRESSES,
)
