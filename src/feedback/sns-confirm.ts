import { Problem } from '../http/problem.ts'

/** Ms. */
const PATIENCE = 10_000

/**
 * Confirms a subscription to a topic, as SNS asks for it in a message that is verified.
 *
 * @param url - the message's own; held to the host of the topic and to this one action on this one topic all the same
 * @throws {Problem} `webhook_refused` for another address, or when SNS will not have it; `webhook_unverifiable` to try again
 */
export async function confirmSubscription(url: string, host: string, arn: string): Promise<void> {
  if (!confirms(url, host, arn)) {
    throw new Problem('webhook_refused', 'The address does not confirm a subscription to the topic.')
  }
  const later = new Problem('webhook_unverifiable', 'Amazon SNS cannot be reached to confirm the subscription.')
  let status: number
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(PATIENCE) })
    status = response.status
    await response.body?.cancel()
  } catch {
    throw later
  }
  if (status === 200) return
  if (status === 429 || status >= 500) throw later
  throw new Problem('webhook_refused', 'Amazon SNS did not confirm the subscription. Ask it for a new confirmation.')
}

function confirms(url: string, host: string, arn: string): boolean {
  if (!url.startsWith(`https://${host}/?`)) return false
  const query = new URLSearchParams(url.slice(url.indexOf('?')))
  const only = (name: string, value: string) => {
    const values = query.getAll(name)
    return values.length === 1 && values[0] === value
  }
  return !url.includes('#') && only('Action', 'ConfirmSubscription') && only('TopicArn', arn)
}
