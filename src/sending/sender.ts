import type { Database } from '../db/client.ts'
import type { Provider, Slots } from '../providers/provider.ts'
import type { Allowlist } from './allowlist.ts'
import type { LoadedCampaign } from './campaign.ts'
import type { Composing } from './compose.ts'
import type { AccountLimits, Gate } from './permit.ts'
import type { SendSettings } from './settings.ts'

/** What sending a batch needs; made in workers/sender.ts. */
export interface Sender extends Composing {
  db: Database
  allowlist: Allowlist
  /** SENDING; false stops at the next claim. */
  sending: boolean
  settings: SendSettings
  loadCampaign: (id: number) => Promise<LoadedCampaign | null>
  /** The accounts that may carry a mail from this address, the first choice first; empty when there is none. */
  candidates: (name: string | null, from_email: string) => SendingAccount[]
  gate: (account: string) => Gate
  /** Unsubscribes that SQL may not know yet: subscriber -> ms. Throws when nobody can say. */
  optoutsOf: (subscriber_ids: number[]) => Promise<Map<number, number>>
  now: () => Date
  random: () => number
  uuid: () => string
  sleep: (ms: number) => Promise<unknown>
}

export interface SendingAccount {
  name: string
  provider: Provider
  /** Asked for anew each time: a warm-up's limit changes with the day. */
  readonly limits: AccountLimits
  /** Where bounces of its mails go; without it, to the From address. */
  bounce_domain?: string | undefined
}

/** What the batches of one invocation share. */
export interface Invocation {
  /** Ms at which it began. */
  started: number
  slots: Slots
}

/** What the queue is told about the pointer. */
export type Answer = { ack: true } | { retry_seconds: number }

export const ACK: Answer = { ack: true }

/** A pause, a live lease or a missing permit: somebody else, or the sweep after so many seconds, goes on. */
export const COME_BACK = 60

/** What the owner of a campaign can do whose mails cannot be rendered. */
export const MENDING =
  'The content of a started campaign is fixed: to correct it, cancel this campaign, duplicate it and mend the template.'
