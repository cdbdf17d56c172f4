import type { Cloudflare } from './cloudflare.ts'
import type { DerivedConfig } from './configs.ts'

/** Hosts that this deployment makes custom domains of, with the Worker each leads to. */
export function customDomains(configs: readonly DerivedConfig[]): { host: string; worker: string }[] {
  return configs.flatMap(({ name, config }) =>
    (config.routes ?? []).flatMap((route) =>
      typeof route === 'string' ? [] : [{ host: route.pattern, worker: name }],
    ),
  )
}

/**
 * Refuses a host that already leads somewhere. wrangler, run without a terminal, would replace its DNS record without a
 * word, and somebody's website would be gone.
 *
 * @param resolves whether a host has an address in DNS
 * @throws with the host and what to do
 */
export async function checkDomains(
  cloudflare: Cloudflare,
  configs: readonly DerivedConfig[],
  resolves: (host: string) => Promise<boolean>,
): Promise<void> {
  const wanted = customDomains(configs)
  if (wanted.length === 0) return
  const domains = await cloudflare.list<{ hostname: string; service: string }>('/workers/domains')
  for (const { host, worker } of wanted) {
    const owner = domains.find((domain) => domain.hostname === host)?.service
    if (owner === worker) continue
    if (owner !== undefined)
      throw new Error(`${host} is a custom domain of the Worker ${owner}: take another host, or remove it there`)
    if (await resolves(host)) {
      throw new Error(
        `${host} already has a DNS record, which would be replaced: take another host, or delete the record`,
      )
    }
  }
}
