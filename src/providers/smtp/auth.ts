import { base64Utf8 } from '../../mime/encode.ts'
import type { Capabilities } from './capabilities.ts'
import { expectClass, refused, refusedBy } from './refusal.ts'
import type { Wire } from './wire.ts'

/**
 * Logs in by PLAIN (RFC 4616) or else LOGIN, both in UTF-8. Credentials that cannot be used are an error: a relay that
 * takes mail without them is not the one that was meant.
 * @throws {ConnectionRefused} `stop` for refused credentials or no common mechanism, `later` for a temporary failure
 */
export async function authenticate(
  wire: Wire,
  capabilities: Capabilities,
  username: string,
  password: string,
): Promise<void> {
  if (capabilities.auth.includes('PLAIN')) {
    expectClass(await wire.command(`AUTH PLAIN ${base64Utf8(`\0${username}\0${password}`)}`), 'AUTH PLAIN')
  } else if (capabilities.auth.includes('LOGIN')) {
    for (const line of ['AUTH LOGIN', base64Utf8(username)]) {
      const reply = await wire.command(line)
      if (reply.code !== 334) throw refusedBy(reply, 'AUTH LOGIN')
    }
    expectClass(await wire.command(base64Utf8(password)), 'AUTH LOGIN')
  } else {
    const offered = capabilities.auth.join(', ') || 'no login at all'
    throw refused('stop', `the server offers ${offered}; PLAIN or LOGIN is needed`)
  }
}
