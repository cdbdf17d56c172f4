// A mail server for this computer only: it takes every mail, keeps it on disk and shows it in a browser.
import { startHttp } from './http.ts'
import { Mailbox } from './mailbox.ts'
import { startSmtp } from './smtp.ts'

export interface Inbox {
  smtp_port: number
  url: string
  http_port: number
  stop(): Promise<void>
}

/** @param options.dir - where mails are kept from run to run */
export async function startInbox(options: { dir: string; smtp_port?: number; http_port?: number }): Promise<Inbox> {
  const mailbox = new Mailbox(options.dir)
  const stops: (() => Promise<void> | void)[] = [() => mailbox.close()]
  const stop = async () => {
    for (const end of stops.reverse()) await end()
  }
  try {
    const smtp = await startSmtp(mailbox, options.smtp_port ?? 0)
    stops.push(smtp.stop)
    const http = await startHttp(mailbox, options.http_port ?? 0)
    stops.push(http.stop)
    return { smtp_port: smtp.port, url: `http://127.0.0.1:${http.port}`, http_port: http.port, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
