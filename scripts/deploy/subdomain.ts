import { type Cloudflare, CloudflareError } from './cloudflare.ts'

/** The account has no workers.dev subdomain. */
const NO_SUBDOMAIN = 10_007

/**
 * The account's workers.dev subdomain; a new account has none, and then takes `wanted`.
 *
 * @throws when there is none and none is wanted, or Cloudflare refuses the name
 */
export async function workersSubdomain(cloudflare: Cloudflare, wanted: string): Promise<string> {
  try {
    const { subdomain } = await cloudflare.call<{ subdomain: string }>('GET', '/workers/subdomain')
    return subdomain
  } catch (error) {
    if (!(error instanceof CloudflareError) || error.code !== NO_SUBDOMAIN) throw error
  }
  if (wanted === '') {
    throw new Error(
      'this account has no workers.dev subdomain: set WORKERS_SUBDOMAIN, or PUBLIC_URL to a domain of yours',
    )
  }
  const { subdomain } = await cloudflare.call<{ subdomain: string }>('PUT', '/workers/subdomain', { subdomain: wanted })
  return subdomain
}
