import type { Finding } from './finding.ts'

/** Looks up how a domain's mail is authenticated (SPF, DKIM, DMARC). @returns what is wrong with it; empty when nothing is */
export type CheckDomain = (from_domain: string) => Promise<readonly Finding[]>

/** A check waits so long for DNS. In ms. */
const PATIENCE = 3_000

/** What DNS says of the sender's domain; never an error, DNS has bad moments and a schedule has not. */
export async function authenticationFindings(
  checkDomain: CheckDomain | undefined,
  from_email: string,
): Promise<readonly Finding[]> {
  if (!checkDomain) return []
  const domain = from_email.slice(from_email.lastIndexOf('@') + 1)
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('too slow')), PATIENCE)
  })
  try {
    return await Promise.race([checkDomain(domain), late])
  } catch {
    const detail = `The DNS records of ${domain} could not be looked up just now; whether its mails are authenticated is not known.`
    return [{ code: 'not_looked_up', field: 'sender_id', detail }]
  } finally {
    clearTimeout(timer)
  }
}
