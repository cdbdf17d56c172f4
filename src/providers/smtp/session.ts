// From the TCP connection to a server that is ready for MAIL: greeting, EHLO, STARTTLS, EHLO again, AUTH.

import type { SmtpAccount } from '../account.ts'
import { answerText } from '../answer.ts'
import { ConnectionRefused } from '../provider.ts'
import { authenticate } from './auth.ts'
import { ConnectionLost, type Reply, replyText } from './reply.ts'
import { type OpenSocket, Wire } from './wire.ts'

/** What the server said it can do, in its last EHLO reply. */
export interface Capabilities {
  pipelining: boolean
  eight_bit_mime: boolean
  smtputf8: boolean
  starttls: boolean
  /** The SIZE extension is there (RFC 1870). */
  size: boolean
  /** Largest message in octets; 0 = no fixed limit. */
  max_size: number
  /** Mechanisms, upper case. */
  auth: string[]
}

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
    throw refused('later', `no connection: ${error instanceof Error ? error.message : String(error)}`)
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
    throw refused('later', error instanceof ConnectionLost ? error.message : String(error))
  }
}

export function refused(kind: 'later' | 'stop', answer: string): ConnectionRefused {
  return new ConnectionRefused({ kind, answer: answerText(answer) })
}

/** 2yz passes; 4yz is `later`, 5yz is `stop`. @throws {ConnectionRefused} */
export function expectClass(reply: Reply, step: string): void {
  if (reply.code >= 200 && reply.code < 300) return
  throw refused(reply.code >= 500 ? 'stop' : 'later', `${step}: ${replyText(reply)}`)
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

export function capabilitiesOf(reply: Reply): Capabilities {
  const found: Capabilities = {
    pipelining: false,
    eight_bit_mime: false,
    smtputf8: false,
    starttls: false,
    size: false,
    max_size: 0,
    auth: [],
  }
  // The first line is the server's name.
  for (const line of reply.lines.slice(1)) {
    const [keyword = '', ...parameters] = line.trim().toUpperCase().split(/[ =]+/)
    if (keyword === 'PIPELINING') found.pipelining = true
    else if (keyword === '8BITMIME') found.eight_bit_mime = true
    else if (keyword === 'SMTPUTF8') found.smtputf8 = true
    else if (keyword === 'STARTTLS') found.starttls = true
    else if (keyword === 'AUTH') found.auth.push(...parameters)
    else if (keyword === 'SIZE') {
      found.size = true
      found.max_size = Number(parameters[0] ?? 0) || 0
    }
  }
  return found
}

async function encrypt(wire: Wire, capabilities: Capabilities): Promise<Wire> {
  if (!capabilities.starttls) {
    throw refused('stop', 'the server does not offer STARTTLS: nothing is sent in clear text')
  }
  const reply = await wire.command('STARTTLS')
  if (reply.code !== 220) throw refused(reply.code >= 500 ? 'stop' : 'later', `STARTTLS: ${replyText(reply)}`)
  // What comes before the handshake was not written by whoever holds the certificate (CVE-2011-0411).
  if (wire.has_unasked) throw refused('stop', 'STARTTLS: bytes were injected before encryption')
  return await wire.startTls()
}
