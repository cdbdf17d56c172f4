/** Whether readers may be redirected to a host that a variable supplied. */
export type LinkHosts = (hostname: string) => boolean

/** One label or more of letters, digits and hyphens, or an IPv4 address; `*.` before it means every host below it. */
const ENTRY = /^(\*\.)?(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*$/

/**
 * Reads LINK_HOSTS: hosts separated by commas, `shop.example.com` or `*.example.com`. Empty means none.
 *
 * @throws Error naming the entry that is no host
 */
export function parseLinkHosts(text: string): LinkHosts {
  const exact = new Set<string>()
  const below: string[] = []
  for (const part of text.split(',')) {
    const entry = part.trim().toLowerCase()
    if (entry === '') continue
    if (!ENTRY.test(entry)) throw new Error(`LINK_HOSTS: "${entry}" is not a host name`)
    if (entry.startsWith('*.')) below.push(entry.slice(1))
    else exact.add(entry)
  }
  return (hostname) => {
    const host = hostname.toLowerCase()
    return exact.has(host) || below.some((end) => host.endsWith(end))
  }
}
