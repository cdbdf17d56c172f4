// Debian's Postfix with a configuration, a spool and ports of its own: what a relay really answers, and what really arrives.
// Nothing is installed or left running here. Its AUTH asks the small server in sasl-server.ts for the verdict.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../local/ports.ts'
import type { Certificates } from './certificates.ts'
import { startSaslServer } from './sasl-server.ts'

const POSTFIX = '/usr/sbin/postfix'
const DAEMONS = '/usr/lib/postfix/sbin'
/** "nobody": mailboxes may not be root's. */
const NOBODY = 65_534

export const MTA_LOGIN = { username: 'relay', password: 'pässwörd€ 山' }
/** Octets, as SIZE states it. */
export const MTA_SIZE = 200_000

export interface RealMta {
  /** Takes LOGIN only. */
  implicit: number
  /** Takes PLAIN only. */
  starttls: number
}

/** Why there is no Postfix to test against, or null. */
export function missingMta(): string | null {
  if (!existsSync(POSTFIX)) return `Postfix is not installed (looked for ${POSTFIX})`
  if (process.getuid?.() !== 0) return 'Postfix starts only as root'
  return null
}

/**
 * Starts on the first request, which few runs make. GET /start -> RealMta or { missing }; GET /mail/<text> -> the mails
 * that have this text in them, as delivered, in base64.
 */
export async function startMtaControl(certificates: Certificates): Promise<{ url: string; stop(): Promise<void> }> {
  let running: Promise<Postfix> | null = null
  const http = createServer(async (request, response) => {
    const missing = missingMta()
    if (missing !== null) {
      process.stderr.write(`NOT RUN: the tests against a real mail server: ${missing}\n`)
      return void response.end(JSON.stringify({ missing }))
    }
    try {
      running ??= startPostfix(certificates)
      const { ports, mailbox } = await running
      const path = decodeURIComponent(request.url ?? '')
      if (path === '/start') response.end(JSON.stringify(ports))
      else response.end(JSON.stringify(mailsWith(mailbox, path.slice('/mail/'.length))))
    } catch (error) {
      response.writeHead(500).end(String(error))
    }
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const address = http.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    async stop() {
      const started = await running?.catch(() => null)
      await started?.stop()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

interface Postfix {
  ports: RealMta
  mailbox: string
  stop(): Promise<void>
}

async function startPostfix({ cert, key }: Certificates): Promise<Postfix> {
  const folder = mkdtempSync(join(tmpdir(), 'emk-postfix-'))
  // Its processes run under several users.
  chmodSync(folder, 0o755)
  const sasl = await startSaslServer(MTA_LOGIN)
  const ports = { implicit: await freePort(), starttls: await freePort() }
  for (const name of ['queue', 'data', 'mail']) mkdirSync(join(folder, name))
  chownSync(join(folder, 'mail'), NOBODY, NOBODY)
  execFileSync('chown', ['postfix', join(folder, 'data')])
  writeFileSync(join(folder, 'tls.pem'), key + cert, { mode: 0o600 })
  writeFileSync(join(folder, 'mailboxes'), 'reader@example.com reader/\nžofie@example.com reader/\n')
  writeFileSync(join(folder, 'owners'), 'bounces@sender.example relay\nnews@sender.example relay\n')
  writeFileSync(join(folder, 'main.cf'), mainCf(folder, sasl.port))
  writeFileSync(join(folder, 'master.cf'), masterCf(ports))
  // Makes the directories of the spool.
  execFileSync(POSTFIX, ['-c', folder, 'check'], { stdio: 'pipe' })
  // Ends with us, however we end.
  const master = spawn('setpriv', ['--pdeathsig', 'TERM', join(DAEMONS, 'master'), '-c', folder, '-d'], {
    stdio: 'ignore',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', MAIL_CONFIG: folder },
  })
  const stop = async () => {
    await ended(master)
    await sasl.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await listening(ports.implicit, master)
    await listening(ports.starttls, master)
  } catch (error) {
    const log = join(folder, 'mail.log')
    const said = existsSync(log) ? readFileSync(log, 'utf8') : ''
    await stop()
    throw new Error(`${error}\n${said}`)
  }
  return { ports, mailbox: join(folder, 'mail', 'reader', 'new'), stop }
}

const mainCf = (folder: string, sasl_port: number) => `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/mail.log
maillog_file_prefixes = ${folder}
myhostname = mx.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
recipient_delimiter = +
virtual_mailbox_domains = example.com
virtual_mailbox_base = ${folder}/mail
virtual_mailbox_maps = texthash:${folder}/mailboxes
virtual_uid_maps = static:${NOBODY}
virtual_gid_maps = static:${NOBODY}
message_size_limit = ${MTA_SIZE}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = ${folder}/tls.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:${sasl_port}
smtpd_sender_login_maps = texthash:${folder}/owners
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
`

const masterCf = ({ implicit, starttls }: RealMta) => `
127.0.0.1:${implicit} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_sasl_mechanism_filter=login
127.0.0.1:${starttls} inet n - n - - smtpd -o smtpd_sasl_mechanism_filter=plain
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
`

async function listening(port: number, master: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (master.exitCode !== null) throw new Error(`Postfix ended with code ${master.exitCode}`)
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('Postfix does not listen')
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  return gone
}

function mailsWith(mailbox: string, text: string): string[] {
  if (!existsSync(mailbox)) return []
  const mails = readdirSync(mailbox).map((name) => readFileSync(join(mailbox, name)))
  return mails.filter((mail) => mail.includes(text)).map((mail) => mail.toString('base64'))
}
