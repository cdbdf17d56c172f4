import { domainToASCII } from 'node:url'

/** A mail that arrived, as the local inbox tells of it. */
export interface Arrived {
  id: number
  to: string
}

export interface Opened {
  html: string
  text: string
  headers: { name: string; value: string }[]
}

async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return (await response.json()) as T
}

/** Every mail in the inbox, oldest first. */
export async function readInbox(inbox_url: string): Promise<Arrived[]> {
  const mails: Arrived[] = []
  for (let after: number | undefined; ; ) {
    const page = await getJson<{ data: { id: number; to: string | string[] }[] }>(
      `${inbox_url}/api/messages?limit=1000${after === undefined ? '' : `&after=${after}`}`,
    )
    if (page.data.length === 0) break
    for (const { id, to } of page.data) mails.push({ id, to: asStored(String(to)) })
    after = page.data.at(-1)?.id
  }
  return mails.sort((a, b) => a.id - b.id)
}

/** As the kit keeps addresses (domains in ASCII); the mail server shows IDN domains in their own script. */
function asStored(address: string): string {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, at)}@${domainToASCII(address.slice(at + 1))}`.toLowerCase()
}

/** One mail's parts, as a mail client decodes them. */
export const openMail = (inbox_url: string, id: number) => getJson<Opened>(`${inbox_url}/api/messages/${id}`)
