// `node scripts/make-subscribers.ts 1000 > examples/subscribers.csv`: people who do not exist, at domains that are
// reserved (RFC 2606: example.com, .example, .test), so that nobody real is ever mailed. The same number makes the same
// file.

export const HEADER = [
  'email',
  'first_name',
  'last_name',
  'status',
  'consented_at',
  'consent_source',
  'timezone',
  'locale',
  'plan',
  'city',
  'seats',
  'vip',
  'interests',
] as const

export const csvLine = (cells: readonly string[]): string =>
  `${cells.map((cell) => (/[",;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\r\n`

interface Place {
  first: string[]
  last: string[]
  cities: string[]
  timezone: string
  locale: string
}

const PLACES: Place[] = [
  {
    first: ['Ada', 'Grace', 'Barbara', 'Alan', 'Sean', 'Mary-Jane', 'J.R.'],
    last: ["O'Brien", 'Lovelace', 'Smith', "D'Arcy", 'Smith-Jones', 'MacDonald', 'van der Berg'],
    cities: ['London', "St. John's", 'Kingston upon Hull'],
    timezone: 'Europe/London',
    locale: 'en-GB',
  },
  {
    first: ['Zoë', 'Jörg', 'Änne', 'Käthe', 'Björn'],
    last: ['Müller', 'Groß', 'Schäfer', 'Freiherr von und zu Hohenstein', 'Köhler'],
    cities: ['Köln', 'Zürich', 'Düsseldorf'],
    timezone: 'Europe/Berlin',
    locale: 'de-DE',
  },
  {
    first: ['François', 'Anaïs', 'Chloé', 'Jean-Noël', 'Loïc'],
    last: ["L'Hôpital", 'Lefèvre', "N'Diaye", 'Œuvrard', 'Garçon'],
    cities: ['Besançon', "L'Haÿ-les-Roses", 'Nîmes'],
    timezone: 'Europe/Paris',
    locale: 'fr-FR',
  },
  {
    first: ['José', 'Íñigo', 'Begoña', 'María de los Ángeles'],
    last: ['Muñoz', 'Núñez', 'García y Vega', 'Etxeberría'],
    cities: ['A Coruña', 'Málaga', 'Bogotá'],
    timezone: 'America/Bogota',
    locale: 'es-CO',
  },
  {
    first: ['João', 'Conceição', 'Luís', 'Antônia'],
    last: ['Gonçalves', 'Araújo', 'da Conceição', 'Simões'],
    cities: ['São Paulo', 'Brasília', 'Florianópolis'],
    timezone: 'America/Sao_Paulo',
    locale: 'pt-BR',
  },
  {
    first: ['Łukasz', 'Małgorzata', 'Żaneta', 'Jiří', 'Đorđe'],
    last: ['Wójcik', 'Dvořák', 'Kowalczyk-Śliwa', 'Šimić'],
    cities: ['Łódź', 'Plzeň', 'Gdańsk'],
    timezone: 'Europe/Warsaw',
    locale: 'pl-PL',
  },
  {
    first: ['Αλέξανδρος', 'Ελένη', 'Νίκος'],
    last: ['Παπαδόπουλος', 'Γεωργίου'],
    cities: ['Αθήνα', 'Θεσσαλονίκη'],
    timezone: 'Europe/Athens',
    locale: 'el-GR',
  },
  {
    first: ['Дмитрий', 'Наталія', 'Ёлка', 'Ігор'],
    last: ['Шевченко', 'Іваненко', 'Щербак'],
    cities: ['Київ', 'Львів', 'Одеса'],
    timezone: 'Europe/Kyiv',
    locale: 'uk-UA',
  },
  {
    first: ['محمد', 'فاطمة', 'خالد'],
    last: ['الفارسي', 'بن سعيد', 'عبد الرحمن'],
    cities: ['القاهرة', 'دبي'],
    timezone: 'Africa/Cairo',
    locale: 'ar-EG',
  },
  {
    first: ['נועה', 'דוד'],
    last: ['כהן', 'בן-דוד'],
    cities: ['תל אביב', 'חיפה'],
    timezone: 'Asia/Jerusalem',
    locale: 'he-IL',
  },
  {
    first: ['太郎', '花子', 'さくら', 'ケンジ'],
    last: ['山田', '髙橋', '佐々木'],
    cities: ['東京', '大阪', '札幌'],
    timezone: 'Asia/Tokyo',
    locale: 'ja-JP',
  },
  {
    first: ['小明', '丽', '秀英'],
    last: ['王', '李', '欧阳'],
    cities: ['上海', '成都'],
    timezone: 'Asia/Shanghai',
    locale: 'zh-CN',
  },
  {
    first: ['민준', '서연'],
    last: ['김', '박'],
    cities: ['서울', '부산'],
    timezone: 'Asia/Seoul',
    locale: 'ko-KR',
  },
  {
    first: ['अनिल', 'प्रिया', 'লাবণ্য'],
    last: ['शर्मा', 'पटेल', 'চৌধুরী'],
    cities: ['मुंबई', 'কলকাতা'],
    timezone: 'Asia/Kolkata',
    locale: 'hi-IN',
  },
]

/** Names that have broken a mail before. */
const ODD_NAMES: [first: string, last: string][] = [
  ['🎈 Emma', 'Sparkle ✨'],
  ['👩‍🚀 Noa', '🇳🇿'],
  ['Null', 'Undefined'],
  ['{{first_name}}', '<b>Bold</b>'],
  ['Robert"); --', 'Tables & Sons'],
  ['"Bob"', 'Comma, Jr.'],
  ['=SUM(1,2)', '+Plus'],
  ['Wolfeschlegelsteinhausenbergerdorff'.repeat(3), 'Hubert Blaine '.repeat(8).trim()],
  ['Z̴a̵l̶g̷o̸', 'Ｆｕｌｌｗｉｄｔｈ'],
]

/** International domains in both spellings. */
const DOMAINS = [
  ...['example.com', 'example.com', 'example.com', 'example.org', 'example.net', 'mail.example', 'news.example.com'],
  ...['inbox.test', 'bücher.example', 'münchen.test', 'παράδειγμα.test', 'пошта.test', '例え.test', 'مثال.test'],
  ...['xn--caf-dma.example', 'a-very-long-name-of-a-department-in-an-even-longer-organisation.example'],
]

const PLANS = ['free', 'free', 'pro', 'team']
const SOURCES = ['footer form', 'checkout', 'webinar', 'trade fair, Hall 3', 'paper form']
const INTERESTS = ['Coffee', 'Tea & Herbs', 'Brewing', 'Café culture', 'Roasting “at home”', '抹茶', 'Sale <50 %']

/** The first consent of the file, and the time over which the others are spread, in ms. */
const FIRST_CONSENT = Date.UTC(2023, 0, 1, 8)
const CONSENT_SPAN = 2.5 * 365 * 86_400_000

/** Rows in the order of HEADER. About one in fifty has opted out already; a few lack names, zone or city. */
export function* subscriberRows(count: number): Generator<string[]> {
  const random = generator(20_240_229)
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T
  for (let n = 1; n <= count; n++) {
    const place = pick(PLACES)
    const [first, last] = n % 60 === 7 ? pick(ODD_NAMES) : [pick(place.first), pick(place.last)]
    const nameless = random() < 0.05
    const lastless = nameless || random() < 0.05
    const elsewhere = random() < 0.08
    const interests = INTERESTS.filter(() => random() < 0.35)
    const plan = pick(PLANS)
    yield [
      `${localPart(first, last, n)}@${pick(DOMAINS)}`,
      nameless ? '' : first,
      lastless ? '' : last,
      n % 50 === 25 ? 'unsubscribed' : 'active',
      new Date(FIRST_CONSENT + Math.floor(random() * CONSENT_SPAN)).toISOString(),
      pick(SOURCES),
      elsewhere ? '' : place.timezone,
      elsewhere ? '' : place.locale,
      plan,
      random() < 0.1 ? '' : pick(place.cities),
      plan === 'team' ? String(2 + Math.floor(random() * 40)) : '',
      random() < 0.1 ? 'true' : '',
      interests.length > 0 ? JSON.stringify(interests) : '',
    ]
  }
}

/** The whole file. */
export function* subscribersCsv(count: number): Generator<string> {
  yield csvLine(HEADER)
  for (const row of subscriberRows(count)) yield csvLine(row)
}

/** ASCII of a name with the row's number, which makes it unique, in the shapes that real addresses have. */
function localPart(first: string, last: string, n: number): string {
  const plain = (text: string) =>
    text
      .normalize('NFKD')
      .replace(/[^A-Za-z'-]/g, '')
      .slice(0, 20)
  const [a, b] = [plain(first) || 'reader', plain(last) || 'x']
  switch (n % 8) {
    case 0:
      return `${a}.${b}.${n}`
    case 1:
      return `${a}+news${n}`.toLowerCase()
    case 2:
      return `${b}_${n}`.toLowerCase()
    case 3:
      return `${n}.${a}`.toLowerCase()
    case 4:
      return `${a[0]}${b}${n}`.toUpperCase()
    case 5:
      return n % 200 === 5
        ? `${n}.${'long-'.repeat(20)}`.slice(0, 63).replace(/[.-]$/, 'x')
        : `${a}-${b}${n}`.toLowerCase()
    default:
      return `${a}.${b}${n}`.toLowerCase()
  }
}

/** Mulberry32: 32 bits of state are enough for a file that only has to look like people. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

if (import.meta.main) {
  const count = Number(process.argv[2])
  if (!Number.isInteger(count) || count < 1) {
    console.error('usage: node scripts/make-subscribers.ts COUNT > FILE.csv')
    process.exit(1)
  }
  for (const line of subscribersCsv(count)) process.stdout.write(line)
}
