// From the TCP connection to a server that is ready for MAIL: greeting, EHLO, STARTTLS, EHLO again, AUTH.

import type { SmtpAccount } from '../account.ts'
import { ConnectionRefused } from '../provider.ts'
import { authenticate } from './auth.ts'
import { type Capabilities, capabilitiesOf } from './capabilities.ts'
import { expectClass, refused, refusedBy, silence } from './refusal.ts'
import { ConnectionLost } from './reply.ts'
import { type OpenSocket, Wire } from './wire.ts'

export interface SessionOptions {
  open: OpenSocket
  /** Our name, already checked. */
  ehlo_name: string
  /** Longest wait for one answer, ms. */
  patience: number
  /** Longest time from connection to login, ms. */
  handshake: number
}

export interface Session {
  wire: Wire
  capabilities: Capabilities
}

/** @throws {ConnectionRefused} */
export async function openSession(account: SmtpAccount, options: SessionOptions): Promise<Session> {
  const secureTransport = account.tls === 'implicit' ? 'on' : account.tls === 'starttls' ? 'starttls' : 'off'
  let wire: Wire
  try {
    wire = new Wire(
      options.open({ hostname: account.host, port: account.port }, { secureTransport, allowHalfOpen: false }),
      options.patience,
    )
  } catch (error) {
    throw silence(`no connection: ${error instanceof Error ? error.message : String(error)}`)
  }
  wire.deadline = Date.now() + options.handshake
  try {
    await wire.opened()
    expectClass(await wire.read(), 'greeting')
    let capabilities = await hello(wire, options.ehlo_name)
    if (account.tls === 'starttls') {
      wire = await encrypt(wire, capabilities)
      // RFC 3207 4.2: what was learnt in clear text is forgotten.
      capabilities = await hello(wire, options.ehlo_name)
    }
    if (account.username !== undefined) {
      await authenticate(wire, capabilities, account.username, account.password ?? '')
    }
    wire.rest()
    wire.deadline = Number.POSITIVE_INFINITY
    return { wire, capabilities }
  } catch (error) {
    wire.drop()
    if (error instanceof ConnectionRefused) throw error
    throw silence(error instanceof ConnectionLost ? error.message : String(error))
  }
}

async function hello(wire: Wire, name: string): Promise<Capabilities> {
  const reply = await wire.command(`EHLO ${name}`)
  if (reply.code < 500) {
    expectClass(reply, 'EHLO')
    return capabilitiesOf(reply)
  }
  // RFC 5321 3.2: a server without EHLO is greeted the old way.
  expectClass(await wire.command(`HELO ${name}`), 'HELO')
  return capabilitiesOf({ code: 250, enhanced: null, lines: [] })
}

async function encrypt(wire: Wire, capabilities: Capabilities): Promise<Wire> {
  if (!capabilities.starttls) {
    throw refused('stop', 'the server does not offer STARTTLS: nothing is sent in clear text')
  }
  const reply = await wire.command('STARTTLS')
  if (reply.code !== 220) throw refusedBy(reply, 'STARTTLS')
  // What comes before the handshake was not written by whoever holds the certificate (CVE-2011-0411).
  if (wire.has_unasked) throw refused('stop', 'STARTTLS: bytes were injected before encryption')
  return await wire.startTls()
}
