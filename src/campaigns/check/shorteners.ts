/**
 * Hosts that redirect anyone's links. Most are on the domain blocklists that receivers ask (Spamhaus DBL lists abused
 * redirectors apart); a brand's own short domain, and one that leads to a single site, is not among them.
 */
const SHORTENERS = new Set(
  `bit.ly bitly.com j.mp tinyurl.com goo.gl t.co ow.ly is.gd v.gd buff.ly rebrand.ly cutt.ly short.io shorturl.at rb.gy
   t.ly tiny.cc tiny.one tny.im bl.ink lnkd.in s.id soo.gd clck.ru vk.cc qr.ae adf.ly bc.vc ouo.io shorte.st dub.sh
   t2m.io snip.ly urlz.fr kutt.it gg.gg x.co trib.al dlvr.it`.split(/\s+/),
)

/** @param hostname - lower case */
export const isShortener = (hostname: string) => SHORTENERS.has(hostname.replace(/^www\./, ''))
