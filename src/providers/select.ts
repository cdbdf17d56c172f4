import { connect } from 'cloudflare:sockets'
import type { Account } from './account.ts'
import type { Provider } from './provider.ts'
import { sendGridProvider } from './sendgrid.ts'
import { sesProvider } from './ses.ts'
import { smtpProvider } from './smtp/provider.ts'

/** The sending service of an account. Holds no socket: may live as long as the isolate. */
export function providerFor(account: Account): Provider {
  switch (account.kind) {
    case 'smtp':
      return erased(smtpProvider(account, connect))
    case 'ses':
      return erased(sesProvider(account))
    case 'sendgrid':
      return erased(sendGridProvider(account))
  }
}

/** The send loop hands back only what the same provider prepared. */
const erased = <Prepared>(provider: Provider<Prepared>): Provider => provider as Provider
