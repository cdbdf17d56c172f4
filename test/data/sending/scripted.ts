// A provider whose answers the test decides, and a send loop around it.
import type { Database } from '../../../src/db/client.ts'
import type { ConnectionRefused, Mail, Outcome, Provider } from '../../../src/providers/provider.ts'
import { campaignLoader } from '../../../src/sending/campaign.ts'
import type { Sender } from '../../../src/sending/sender.ts'
import { SEND_SETTINGS } from '../../../src/sending/settings.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../../src/tokens/development.ts'
import { parseSigningKeys } from '../../../src/tokens/keys.ts'
import { openGate, UNLIMITED } from '../../support/open-gate.ts'

export const SENT: Outcome = { kind: 'sent', answer: '250 ok' }

/** Writes down what it carried and answers as told. */
export class ScriptedProvider implements Provider<Mail> {
  carried: Mail[] = []
  groups = 0
  connects = 0
  answer: (mail: Mail, nth: number) => Outcome | Promise<Outcome> = () => SENT
  beforeGroup: () => unknown = () => undefined
  refuse: ConnectionRefused | null = null
  /** Mails one connection carries before the server ends it. */
  per_connection = Number.POSITIVE_INFINITY
  open = 0

  prepare(mail: Mail) {
    return mail
  }
  async connect() {
    this.connects++
    if (this.refuse) throw this.refuse
    this.open++
    const ends_at = this.carried.length + this.per_connection
    const usable = () => this.carried.length < ends_at
    return {
      get usable() {
        return usable()
      },
      send: async (group: readonly Mail[]) => {
        this.groups++
        await this.beforeGroup()
        const outcomes: Outcome[] = []
        for (const mail of group) {
          this.carried.push(mail)
          outcomes.push(await this.answer(mail, this.carried.length))
        }
        return outcomes
      },
      close: async () => {
        this.open--
      },
    }
  }
}

/** One account, which may all that is asked of it; `more` changes that. */
export async function scriptedSender(
  db: Database,
  provider: Provider<Mail>,
  more: Partial<Sender> = {},
): Promise<Sender> {
  return {
    db,
    signing_keys: await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS),
    link_hosts: () => false,
    mail_domain: 'in.acme.example',
    allowlist: () => true,
    sending: true,
    settings: SEND_SETTINGS,
    loadCampaign: campaignLoader(db),
    candidates: () => [{ name: 'main', provider: provider as Provider, limits: UNLIMITED }],
    gate: () => openGate(),
    optoutsOf: async () => new Map(),
    now: () => new Date(),
    random: () => 0,
    uuid: () => crypto.randomUUID(),
    sleep: async () => undefined,
    ...more,
  }
}
