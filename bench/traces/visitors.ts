// With what, and from where, mail is read and scanned: networks, browsers and mail programs as they are met in the world.
import type { Chance } from './chance.ts'

/** What a request shows of where and with what it was made. */
export interface Seat {
  agent: string
  asn: number
  country: string
  region?: string
}

/** Home and mobile networks by country: [weight, [country, region, home networks, mobile networks]]. */
const PLACES: readonly (readonly [number, readonly [string, string, readonly number[], readonly number[]]])[] = [
  [30, ['US', 'CA', [7922, 7018, 701, 20001], [21928, 6167, 20057]]],
  [10, ['DE', 'BE', [3320, 3209, 8881], [6805, 3320]]],
  [10, ['GB', 'ENG', [2856, 5607, 5089], [12576, 25135]]],
  [7, ['FR', 'IDF', [3215, 12322], [15557, 5410]]],
  [5, ['CA', 'ON', [812, 577], [812]]],
  [4, ['ES', 'MD', [3352, 12479], [12430]]],
  [4, ['IT', '62', [3269, 12874], [30722]]],
  [4, ['NL', 'NH', [1136, 33915], [31615]]],
  [4, ['AU', 'NSW', [1221, 7545], [4804]]],
  [4, ['IN', 'MH', [24560], [55836]]],
  [4, ['BR', 'SP', [28573], [26599]]],
  [3, ['JP', '13', [4713, 2516], [17676]]],
  [3, ['SE', 'AB', [3301], [44034]]],
  [2, ['CH', 'ZH', [3303], [3303]]],
  [2, ['TR', '34', [9121], [16135]]],
]

const CHROME_WINDOWS = (version: number) =>
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`
const EDGE_WINDOWS = (version: number) => `${CHROME_WINDOWS(version)} Edg/${version}.0.0.0`
const SAFARI_IPHONE = (version: string) =>
  `Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${version} Mobile/15E148 Safari/604.1`
const SAFARI_MAC =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15'
const CHROME_ANDROID = (version: number) =>
  `Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Mobile Safari/537.36`
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0'

const PHONES = [
  [38, SAFARI_IPHONE('26.1')],
  [12, SAFARI_IPHONE('18.6')],
  [32, CHROME_ANDROID(142)],
  [6, CHROME_ANDROID(139)],
  [
    5,
    'Mozilla/5.0 (Linux; Android 15; SAMSUNG SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36',
  ],
  [
    4,
    'Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP2A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36',
  ],
  [
    3,
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/390.0.1 Mobile/15E148 Safari/604.1',
  ],
] as const
const IPHONES = [
  [80, SAFARI_IPHONE('26.1')],
  [20, SAFARI_IPHONE('18.6')],
] as const
const COMPUTERS = [
  [52, CHROME_WINDOWS(142)],
  [8, CHROME_WINDOWS(140)],
  [14, EDGE_WINDOWS(142)],
  [
    12,
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  ],
  [8, SAFARI_MAC],
  [5, FIREFOX],
  [
    0.6,
    'Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36',
  ],
  [
    0.2,
    'Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/78.0.3904.108 Safari/537.36',
  ],
  [0.1, 'Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko'],
] as const

/** VPNs that are sold, and those that people put on a rented server. */
const SOLD_VPNS = [9009, 212238, 60068, 62240, 136787, 209103] as const
const OWN_VPNS = [14061, 24940, 16276, 51167, 63949] as const
/** iCloud Private Relay. */
const PRIVATE_RELAY = [13335, 36183, 54113] as const
/** What companies let their people surf through; some run in public clouds. */
const WEB_GATEWAYS = [
  [55, 22616],
  [20, 62044],
  [20, 55256],
  [5, 396982],
] as const
const DESKTOPS_IN_THE_CLOUD = [
  [80, 8075],
  [20, 16509],
] as const

export type Mailbox = 'gmail' | 'apple' | 'yahoo' | 'outlook_com' | 'company' | 'other'
export type Gateway = 'none' | 'head_scanner' | 'azure_scanner' | 'sandbox'

export interface Company {
  asn: number
  country: string
  region: string
  gateway: Gateway
  scanner: Scanner
}

/** What a company's gateway scans with. */
export interface Scanner extends Seat {
  /** The share of mails whose pixel it fetches, too. */
  opens: number
}

export interface Person {
  mailbox: Mailbox
  /** Where links are opened. */
  browser: Seat
  /** Where mail is read by a program of one's own. */
  program: string
}

/** A home, a phone, an office: whoever reads. */
export function person(c: Chance, mailbox: Mailbox, company: Company | null): Person {
  const [country, region, homes, mobiles] = c.weighted(PLACES)
  const on_phone = c.is(mailbox === 'company' ? 0.3 : mailbox === 'apple' ? 0.75 : 0.55)
  const agent = on_phone
    ? c.weighted<string>(mailbox === 'apple' ? IPHONES : PHONES)
    : mailbox === 'apple'
      ? SAFARI_MAC
      : c.weighted<string>(COMPUTERS)
  const asn = c.one(on_phone && c.is(0.5) ? mobiles : homes)
  const browser: Seat = { agent, asn, country, region }
  if (company && !on_phone && c.is(0.6)) Object.assign(browser, { asn: company.asn, country: company.country })
  if (company && c.is(0.08)) browser.asn = c.weighted<number>(WEB_GATEWAYS)
  else if (company && c.is(0.005)) browser.asn = c.weighted<number>(DESKTOPS_IN_THE_CLOUD)
  else if (agent.includes('Version/') && !agent.includes('wv)') && c.is(0.12)) browser.asn = c.one(PRIVATE_RELAY)
  else if (c.is(0.025)) browser.asn = c.one(SOLD_VPNS)
  else if (c.is(0.0025)) browser.asn = c.one(OWN_VPNS)
  return { mailbox, browser, program: on_phone ? c.weighted<string>(PHONE_MAIL) : c.weighted<string>(COMPUTER_MAIL) }
}

const PHONE_MAIL = [
  [35, 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148'],
  [25, 'Outlook-iOS/709.2226530.prod.iphone (4.28.0)'],
  [
    25,
    'Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36 Outlook-Android/2.0',
  ],
  [10, 'Dalvik/2.1.0 (Linux; U; Android 14; SM-A546B Build/UP1A.231005.007)'],
  [5, 'okhttp/4.12.0'],
] as const
const COMPUTER_MAIL = [
  [50, 'Mozilla/4.0 (compatible; ms-office; MSOffice 16)'],
  [20, EDGE_WINDOWS(142)],
  [10, CHROME_WINDOWS(142)],
  [10, 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)'],
  [7, 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.5.0'],
  [2, 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Thunderbird/140.5.0'],
  [1, ''],
] as const

/** Fetches for a person who looks; of Outlook on the web it only shows the network. */
export const PROXIES: Partial<Record<Mailbox, Seat>> = {
  gmail: {
    agent: 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
    asn: 15169,
    country: 'US',
  },
  yahoo: {
    agent: 'YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html',
    asn: 36646,
    country: 'US',
  },
  outlook_com: { agent: EDGE_WINDOWS(141), asn: 8075, country: 'US' },
}

export const GMAIL_PREFETCH: Seat = {
  agent:
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0',
  asn: 15169,
  country: 'US',
}

/** Mail Privacy Protection: the relay comes out in the reader's country. */
export const applePrefetch = (c: Chance, { browser }: Person): Seat => ({
  agent: 'Mozilla/5.0',
  asn: c.weighted([
    [40, 36183],
    [30, 13335],
    [25, 54113],
    [5, 714],
  ] as const),
  country: browser.country,
})

export const PREVIEWS: readonly Seat[] = [
  { agent: 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', asn: 14618, country: 'US' },
  { agent: 'WhatsApp/2.24.20.89 A', asn: 32934, country: 'US' },
  {
    agent: 'Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com',
    asn: 8075,
    country: 'US',
  },
  { agent: 'TelegramBot (like TwitterBot)', asn: 62041, country: 'NL' },
]

/** Style one: data centres, some of which are in nobody's list. */
const HEAD_NETWORKS = [
  [45, 16509],
  [10, 14618],
  [10, 396982],
  [10, 8075],
  [10, 26211],
  [5, 16276],
  [5, 24940],
  [5, 24961],
] as const
const HEAD_AGENTS = [
  [60, CHROME_WINDOWS(131)],
  [15, 'Mozilla/5.0'],
  [10, 'Mozilla/5.0 (compatible; Proofpoint URL Defense)'],
  [10, 'BarracudaCentral/1.0'],
  [5, 'python-requests/2.32.3'],
] as const
/** Style two. */
const AZURE_AGENTS = [
  [60, EDGE_WINDOWS(138)],
  [30, CHROME_WINDOWS(138)],
  [10, SAFARI_IPHONE('18.6')],
] as const
/** Style three: a few makers, each with one network and one browser; two of the networks are in nobody's list. */
const SANDBOXES: readonly (readonly [number, Scanner])[] = [
  [50, { agent: CHROME_WINDOWS(120), asn: 16509, country: 'US', opens: 1 }],
  [30, { agent: CHROME_WINDOWS(126), asn: 43948, country: 'SE', opens: 1 }],
  [20, { agent: CHROME_WINDOWS(142), asn: 31103, country: 'DE', opens: 0.8 }],
]

export function company(c: Chance, n: number): Company {
  const [country, region, homes] = c.weighted(PLACES)
  const gateway = c.weighted<Gateway>([
    [35, 'none'],
    [25, 'head_scanner'],
    [25, 'azure_scanner'],
    [15, 'sandbox'],
  ])
  // A third have a network number of their own, the others are behind a provider's.
  const asn = c.is(0.33) ? 401_000 + n : c.one(homes)
  const scanner = {
    none: () => ({ agent: '', asn: 0, country, opens: 0 }),
    head_scanner: () => ({
      agent: c.weighted<string>(HEAD_AGENTS),
      asn: c.weighted<number>(HEAD_NETWORKS),
      country,
      opens: 0.5,
    }),
    azure_scanner: () => ({ agent: c.weighted<string>(AZURE_AGENTS), asn: 8075, country, opens: 0.3 }),
    sandbox: () => c.weighted(SANDBOXES),
  }[gateway]()
  return { asn, country, region, gateway, scanner }
}
