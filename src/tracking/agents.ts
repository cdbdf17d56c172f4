// Which program sent a request, told from its user agent, as data: families in the order in which they are tried. Programs
// that tell who they are come first, browsers last, because nearly everything else calls itself one too. Sources are the
// programs' own documentation and the strings they are seen to send; nothing here is a list of somebody else's.

/**
 * - `proxy`: a webmail's, which fetches a picture when its reader looks at it
 * - `prefetch`: a webmail's, which fetches before anybody looks
 * - `scanner`, `preview`, `library`, `headless`, `monitor`, `crawler`: machines
 * - `mail`, `browser`: what people read with
 * - `app`: the HTTP library of an app; a mail app shows pictures with it, nobody follows links with it
 * - `outdated`: a browser that hardly anybody has any more, and many scanners still claim to be
 * - `bare`: a user agent that says nothing; `none`: none at all; `unknown`: none of the above
 */
export type Sort =
  | 'proxy'
  | 'prefetch'
  | 'scanner'
  | 'preview'
  | 'library'
  | 'headless'
  | 'monitor'
  | 'crawler'
  | 'mail'
  | 'browser'
  | 'app'
  | 'outdated'
  | 'bare'
  | 'none'
  | 'unknown'

interface Family {
  sort: Sort
  /** Any of these is in the user agent; all in lower case. A pattern must be linear in the length of what it is given. */
  signs: (string | RegExp)[]
  /** The name under which reports count it, when it is not the family's own. */
  client?: string
}

const FAMILIES = {
  // Webmails' proxies (Gmail: "(via ggpht.com GoogleImageProxy)") and what Gmail loads while nobody looks (bird.com,
  // "Gmail is prefetching images").
  google_image_proxy: { sort: 'proxy', signs: ['googleimageproxy'], client: 'gmail' },
  yahoo_mail_proxy: { sort: 'proxy', signs: ['yahoomailproxy', 'yahoo mail proxy'], client: 'yahoo' },
  gmail_prefetch: { sort: 'prefetch', signs: ['edge/12.246 mozilla/5.0'] },

  // Mail gateways and security scanners.
  barracuda: { sort: 'scanner', signs: ['barracuda'] },
  mimecast: { sort: 'scanner', signs: ['mimecast'] },
  proofpoint: { sort: 'scanner', signs: ['proofpoint', 'urldefense'] },
  cisco: {
    sort: 'scanner',
    signs: ['ironport', 'ciscosecureemail', 'cisco secure', 'cisco-umbrella', 'talosintelligence'],
  },
  trend_micro: { sort: 'scanner', signs: ['trendmicro', 'trend micro', /\btmes\b/, 'tmufe'] },
  symantec: { sort: 'scanner', signs: ['symantec', 'messagelabs', 'bluecoat', 'broadcom'] },
  sophos: { sort: 'scanner', signs: ['sophos'] },
  fortinet: { sort: 'scanner', signs: ['fortimail', 'fortisandbox', 'fortinet', 'fortiguard'] },
  fireeye: { sort: 'scanner', signs: ['fireeye', 'trellix', 'mcafee'] },
  palo_alto: { sort: 'scanner', signs: ['paloalto', 'palo alto', 'wildfire', 'expanse,'] },
  check_point: { sort: 'scanner', signs: ['avanan', 'checkpoint', 'check point'] },
  microsoft_defender: {
    sort: 'scanner',
    signs: [
      'safelinks',
      'microsoft-atp',
      'bingpreview',
      'microsoft office existence',
      'microsoft office protocol discovery',
    ],
  },
  google_safety: {
    sort: 'scanner',
    signs: ['google-safety', 'google-inspectiontool', 'google-read-aloud', 'googleother'],
  },
  security_scanner: {
    sort: 'scanner',
    signs: [
      ...[
        'kaspersky',
        'bitdefender',
        'f-secure',
        'withsecure',
        'forcepoint',
        'websense',
        'zerofox',
        'netcraft',
        'virustotal',
      ],
      ...[
        'urlscan',
        'phishtank',
        'cloudmark',
        'vade',
        'hornetsecurity',
        'spamexperts',
        'spamassassin',
        'rspamd',
        'vipre',
      ],
      ...[
        'abnormal security',
        'sublime security',
        'ironscales',
        'egress defend',
        'knowbe4',
        'cyren',
        'sonicwall',
        'zix',
      ],
      ...[
        'libra esva',
        'libraesva',
        'retarus',
        'nospamproxy',
        'censysinspect',
        'zgrab',
        'masscan',
        'nmap',
        'nuclei',
        'nikto',
      ],
      ...['link checker', 'linkchecker', 'w3c-checklink', 'link-checker', 'linkwalker', 'urlchecker', 'safebrowsing'],
    ],
  },

  // Chats and networks that fetch a link to show what is behind it. What they open for a person in their own window calls
  // itself otherwise ("FBAN", "Teams/").
  facebook_preview: { sort: 'preview', signs: ['facebookexternalhit', 'facebookcatalog', 'facebot', 'meta-external'] },
  slack_preview: { sort: 'preview', signs: ['slackbot', 'slack-imgproxy'] },
  teams_preview: { sort: 'preview', signs: ['skypeuripreview', 'microsoftpreview', 'microsoft teams', 'teamsbot'] },
  whatsapp_preview: { sort: 'preview', signs: ['whatsapp/'] },
  link_preview: {
    sort: 'preview',
    signs: [
      ...[
        'twitterbot',
        'linkedinbot',
        'discordbot',
        'telegrambot',
        'pinterestbot',
        'redditbot',
        'mastodon',
        'bluesky',
        'viber',
      ],
      ...[
        'snap url preview',
        'google-pagerenderer',
        'iframely',
        'embedly',
        'bitlybot',
        'line-poker',
        'kakaotalk-scrap',
      ],
      ...[
        'synapse',
        'mattermost',
        'zoombot',
        'rocket.chat',
        'quora link preview',
        'outbrain',
        'notionembedder',
        'yahoo link',
      ],
    ],
  },

  // Programs' HTTP libraries.
  curl: { sort: 'library', signs: [/^curl\//, 'libcurl', 'pycurl'] },
  wget: { sort: 'library', signs: ['wget'] },
  python: { sort: 'library', signs: ['python', 'aiohttp', 'httpx', 'urllib', 'scrapy'] },
  go: { sort: 'library', signs: ['go-http-client', 'go-resty', 'fasthttp', 'go http package'] },
  java: {
    sort: 'library',
    signs: ['apache-httpclient', 'java-http-client', /^java\//, 'jakarta', 'jetty', 'reactornetty', 'unirest'],
  },
  node: {
    sort: 'library',
    signs: ['axios', 'node-fetch', 'undici', /^node(?:\.js)?(?:$|[/ ])/, /^got[ /]/, 'superagent'],
  },
  http_library: {
    sort: 'library',
    signs: [
      ...[
        'libwww',
        'lwp::',
        'lwp-',
        'guzzle',
        'ruby',
        'faraday',
        'httparty',
        'winhttp',
        'wininet',
        'powershell',
        'lua-resty',
      ],
      ...[
        'http_request2',
        'php/',
        'symfony',
        'mechanize',
        'reqwest',
        'hyper/',
        'restsharp',
        'postman',
        'insomnia',
        'httpie',
      ],
      ...[
        'typhoeus',
        'rest-client',
        'dart/',
        'cpp-httplib',
        'aria2',
        'fetch/',
        'http-client',
        'httpclient',
        'http client',
        'deno/',
      ],
    ],
  },

  // Browsers that nobody sits before.
  headless: {
    sort: 'headless',
    signs: [
      ...[
        'headless',
        'phantomjs',
        'puppeteer',
        'playwright',
        'selenium',
        'webdriver',
        'slimerjs',
        'cypress',
        'splash',
        'htmlunit',
      ],
      ...[
        'nightmare',
        'lighthouse',
        'chrome-screenshot',
        'wkhtmlto',
        'prerender',
        'rendertron',
        'browsershot',
        'zombie.js',
      ],
    ],
  },
  monitor: {
    sort: 'monitor',
    signs: [
      ...[
        'uptimerobot',
        'pingdom',
        'statuscake',
        'datadog',
        'newrelic',
        'site24x7',
        'betteruptime',
        'better uptime',
        'nagios',
      ],
      ...[
        'zabbix',
        'check_http',
        'gtmetrix',
        'catchpoint',
        'monitis',
        'updown.io',
        'hetrixtools',
        'checkly',
        'freshping',
      ],
    ],
  },

  // Mail programs that say their name. Outlook's desktop program draws mails with Word, which says "MSOffice".
  thunderbird: { sort: 'mail', signs: ['thunderbird', 'icedove', 'betterbird'] },
  outlook_mac: { sort: 'mail', signs: ['macoutlook'], client: 'outlook' },
  outlook_mobile: {
    sort: 'mail',
    signs: ['outlook-ios', 'outlook-android', 'outlookmobile', 'com.microsoft.office.outlook'],
  },
  outlook: { sort: 'mail', signs: ['microsoft outlook', 'msoffice', 'ms-office', 'oneoutlook', 'microsoft office/'] },
  windows_mail: {
    sort: 'mail',
    signs: ['microsoft.windowscommunicationsapps', 'windowsmail', 'windows-live-mail', 'outlook-express'],
  },
  yahoo_mail: {
    sort: 'mail',
    signs: ['yahoomobilemail', 'yahoomail', 'com.yahoo.mobile.client', 'yahoo mail'],
    client: 'yahoo',
  },
  gmail_app: { sort: 'mail', signs: ['com.google.android.gm', 'com.google.gmail'], client: 'gmail' },
  samsung_mail: { sort: 'mail', signs: ['samsungemail', 'samsung email', 'com.samsung.android.email'] },
  proton_mail: { sort: 'mail', signs: ['protonmail', 'proton mail', 'proton-mail'] },
  spark: { sort: 'mail', signs: ['readdle', 'sparkdesktop', 'spark/'] },
  em_client: { sort: 'mail', signs: ['emclient', 'em client'] },
  mail_program: {
    sort: 'mail',
    signs: [
      ...[
        'airmail',
        'mailspring',
        'mailbird',
        'postbox',
        'evolution/',
        'kmail',
        'the bat!',
        'lotus-notes',
        'hcl notes',
        'zimbra',
      ],
      ...[
        'k-9 mail',
        'fairemail',
        'bluemail',
        'aqua mail',
        'aquamail',
        'edison mail',
        'easilydo',
        'canary mail',
        'superhuman',
      ],
      ...[
        'mimestream',
        'seamonkey',
        'claws mail',
        'sylpheed',
        'roundcube',
        'mail.ru',
        'ru.yandex.mail',
        'fastmail',
        'tutanota',
      ],
    ],
  },

  // Robots that only say that they are one; a Cubot is a telephone.
  crawler: {
    sort: 'crawler',
    signs: [
      /(?<!cu)bot(?![a-z0-9_])/,
      /(?<!cu)bot[/_-]/,
      'crawl',
      'spider',
      'slurp',
      'scanner',
      'scraper',
      'fetcher',
      'archiver',
      '+http',
    ],
  },

  // Chrome is renewed by itself every month: 79 is of 2019. Internet Explorer ended in 2022.
  internet_explorer: { sort: 'outdated', signs: ['msie ', 'trident/'] },
  old_browser: { sort: 'outdated', signs: [/chrome\/[1-7]?[0-9]\./, /firefox\/[1-6]?[0-9]\./, 'edge/1'] },

  edge: { sort: 'browser', signs: ['edg/', 'edga/', 'edgios/'] },
  opera: { sort: 'browser', signs: ['opr/', 'opera', 'opios/', 'opt/'] },
  samsung_internet: { sort: 'browser', signs: ['samsungbrowser/'] },
  yandex_browser: { sort: 'browser', signs: ['yabrowser/'] },
  vivaldi: { sort: 'browser', signs: ['vivaldi/'] },
  duckduckgo: { sort: 'browser', signs: ['duckduckgo/', 'ddg/'] },
  other_browser: {
    sort: 'browser',
    signs: ['ucbrowser/', 'miuibrowser/', 'huaweibrowser/', 'silk/', 'qqbrowser/', 'whale/', 'ecosia'],
  },
  social_app: {
    sort: 'browser',
    signs: ['fban/', 'fbav/', 'instagram', 'linkedinapp', 'micromessenger/', 'gsa/', 'line/', 'pinterest/'],
  },
  firefox: { sort: 'browser', signs: ['firefox/', 'fxios/'] },
  android_webview: { sort: 'browser', signs: ['; wv)'], client: 'android' },
  chrome: { sort: 'browser', signs: ['crios/', 'chrome/', 'chromium/'] },
  android_browser: { sort: 'browser', signs: [/android.{0,200}version\//], client: 'android' },
  safari: { sort: 'browser', signs: [/version\/.{0,100}safari\//] },
  // WebKit that is nobody's browser: Apple's Mail, or a window inside an app.
  apple_mail: { sort: 'mail', signs: [/\((?:macintosh|iphone|ipad|ipod).{0,200}applewebkit/] },

  apple_app: { sort: 'app', signs: ['cfnetwork', 'darwin/', 'dataaccessd'] },
  android_app: { sort: 'app', signs: ['dalvik/', 'okhttp'], client: 'android' },
} as const satisfies Record<string, Family>

const ENTRIES: [string, Family][] = Object.entries(FAMILIES)

/** How much of a user agent is read, in characters; all that is known here stands well before. */
const READ = 512

/** @returns the family's name: one of the above, or `bare`, `none` or `unknown` */
export function agentOf(user_agent: string | null): string {
  const text = (user_agent ?? '').slice(0, READ).trim().toLowerCase()
  if (text === '') return 'none'
  // Apple's mail proxies send exactly this; so do others that would rather not say.
  if (/^mozilla\/[45]\.0$/.test(text)) return 'bare'
  for (const [name, { signs }] of ENTRIES) {
    for (const sign of signs) if (typeof sign === 'string' ? text.includes(sign) : sign.test(text)) return name
  }
  return 'unknown'
}

/** @param agent - as `agentOf` named it, now or in an older version */
export function familyOf(agent: string): { sort: Sort; client: string | null } {
  const family = Object.hasOwn(FAMILIES, agent) ? (FAMILIES as Record<string, Family>)[agent] : undefined
  if (!family) return { sort: agent === 'bare' || agent === 'none' ? agent : 'unknown', client: null }
  const read_with =
    family.sort === 'proxy' || family.sort === 'mail' || family.sort === 'browser' || family.sort === 'app'
  return { sort: family.sort, client: read_with ? (family.client ?? (family.sort === 'app' ? null : agent)) : null }
}

/** What it runs on, as far as it says; an iPad with a desktop's user agent is a computer here. */
export function deviceOf(user_agent: string | null): 'phone' | 'tablet' | 'computer' | null {
  const text = (user_agent ?? '').slice(0, READ).toLowerCase()
  if (/ipad|tablet|kindle|silk\//.test(text)) return 'tablet'
  if (/iphone|ipod|windows phone/.test(text)) return 'phone'
  // Google's advice to makers of Android: only telephones say "Mobile".
  if (text.includes('android')) return text.includes('mobile') || !text.includes('applewebkit') ? 'phone' : 'tablet'
  if (/windows nt|macintosh|x11|cros |linux|macoutlook/.test(text)) return 'computer'
  return null
}
