// One campaign and all that comes of it, drawn from a seed. It knows how people, prefetches and scanners behave and shares
// neither code nor numbers with what tells them apart.
import { type Chance, chance } from './chance.ts'
import type { Actor, Request, Trace } from './trace.ts'
import {
  applePrefetch,
  type Company,
  company,
  GMAIL_PREFETCH,
  type Mailbox,
  type Person,
  PREVIEWS,
  PROXIES,
  person,
  type Seat,
} from './visitors.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Mails a second. */
const RATE = 50
const LINKS = 9
/** The share of recipients that each kind of mailbox has. */
const MAILBOXES: readonly (readonly [number, Mailbox])[] = [
  [36, 'gmail'],
  [27, 'apple'],
  [20, 'company'],
  [7, 'outlook_com'],
  [6, 'yahoo'],
  [4, 'other'],
]
/** Recipients of one company, on average. */
const COLLEAGUES = 25

/** The mix in words, for whoever reads the numbers. */
export const MIX =
  'Gmail 36 %, Apple Mail 27 % (95 % with Privacy Protection), companies 20 % (of these a quarter behind a gateway that sends HEAD and GET for every link within seconds, a quarter behind one that gets every link from Azure with an ordinary browser, 15 % behind a sandbox that follows the links minutes later), Outlook.com 7 %, Yahoo 6 %, others 4 %; 38 % read it, 11 % of these click, 2 % of these pass it on to others'

/**
 * @param recipients - their ids count from 1
 * @param seed - the same one gives the same trace
 */
export function mailing(recipients: number, seed: number): Trace {
  const c = chance(seed)
  const companies = Array.from({ length: Math.max(4, Math.ceil((recipients * 0.2) / COLLEAGUES)) }, (_, n) =>
    company(c, n),
  )
  const trace: Trace = { mails: [], requests: [] }
  for (let subscriber_id = 1; subscriber_id <= recipients; subscriber_id++) {
    const mailbox = c.weighted(MAILBOXES)
    // Large ones have most of the people.
    const at_work = mailbox === 'company' ? (companies[Math.floor(c.next() ** 1.5 * companies.length)] ?? null) : null
    const left = ((subscriber_id - 1) / RATE) * SECOND
    // The ledger hears of it with the group, a little after it has left; some servers take it minutes later.
    trace.mails.push({ subscriber_id, sent_at: Math.round(left + c.between(0, 1.2) * SECOND) })
    const arrived = left + (c.is(0.03) ? c.between(2, 30) * MINUTE : Math.min(c.around(1.5, 0.8), 60) * SECOND)
    const visits: Visit[] = [
      ...(at_work ? scans(c, at_work, arrived) : []),
      ...readings(c, person(c, mailbox, at_work), at_work, arrived),
    ]
    for (const visit of visits) trace.requests.push(requestOf(subscriber_id, visit))
  }
  trace.requests.sort((a, b) => a.at - b.at)
  return trace
}

interface Visit {
  at: number
  by: Actor
  seat: Seat
  /** 0 opens. */
  link: number
  method?: 'HEAD'
  headers?: Record<string, string>
}

function requestOf(subscriber_id: number, { at, by, seat, link, method, headers }: Visit): Request {
  const { agent, asn, country, region } = seat
  return {
    at: Math.round(at),
    by,
    subscriber_id,
    kind: link === 0 ? 'open' : 'click',
    link,
    method: method ?? 'GET',
    headers: { ...(agent === '' ? {} : { 'user-agent': agent }), ...headers },
    cf: { asn, country, ...(region ? { regionCode: region } : {}) },
  }
}

const ALL_LINKS = Array.from({ length: LINKS }, (_, n) => n + 1)

function scans(c: Chance, { gateway, scanner }: Company, arrived: number): Visit[] {
  if (gateway === 'none') return []
  const by = gateway
  const visits: Visit[] = []
  const look = (at: number) => {
    if (c.is(scanner.opens)) visits.push({ at, by, seat: scanner, link: 0 })
  }
  if (gateway === 'head_scanner') {
    let at = arrived + c.between(0.3, 6) * SECOND
    look(at)
    const pause = c.between(0.03, 0.6) * SECOND
    for (const link of ALL_LINKS) {
      visits.push({ at, by, seat: scanner, link, method: 'HEAD' })
      visits.push({ at: at + c.between(0.05, 0.4) * SECOND, by, seat: scanner, link })
      at += pause * c.between(0.5, 2)
    }
  } else if (gateway === 'azure_scanner' && c.is(0.85)) {
    let at = arrived + Math.min(c.around(7, 0.8), 90) * SECOND
    look(at)
    for (const link of ALL_LINKS) {
      visits.push({ at, by, seat: scanner, link })
      at += c.between(0.1, 1.5) * SECOND
    }
  } else if (gateway === 'sandbox' && c.is(0.9)) {
    let at = arrived + c.between(3, 25) * MINUTE
    look(at)
    const thorough = c.between(0.6, 1)
    for (const link of ALL_LINKS) {
      if (!c.is(thorough)) continue
      at += c.between(2, 25) * SECOND
      visits.push({ at, by, seat: scanner, link })
    }
  }
  return visits
}

/** What a recipient's own mailbox brings: what is loaded beforehand, and what its reader does. */
function readings(c: Chance, who: Person, at_work: Company | null, arrived: number): Visit[] {
  const visits: Visit[] = []
  const protects = who.mailbox === 'apple' && c.is(0.95)
  // Loaded when the device next is on power and Wi-Fi.
  if (protects && c.is(0.85)) {
    visits.push({
      at: arrived + c.around(12, 1.5) * MINUTE,
      by: 'apple_prefetch',
      seat: applePrefetch(c, who),
      link: 0,
    })
  }
  if (who.mailbox === 'gmail' && c.is(0.08)) {
    visits.push({ at: arrived + c.between(0.5, 40) * SECOND, by: 'gmail_prefetch', seat: GMAIL_PREFETCH, link: 0 })
  }
  if (!c.is(0.38)) return visits
  // Some see the notification.
  const opened = arrived + (c.is(0.08) ? Math.max(c.around(35, 0.7), 5) * SECOND : c.around(2.5, 1.6) * HOUR)
  visits.push(...looks(c, who, protects, 'reader', opened))
  if (c.is(0.2)) visits.push(...looks(c, who, protects, 'reader', opened + c.around(5, 1.5) * HOUR))
  if (c.is(0.11)) visits.push(...follows(c, who, at_work, 'reader', opened))
  if (c.is(0.02)) visits.push(...passesOn(c, at_work, opened + c.around(2, 1) * MINUTE))
  return visits
}

/** Who opens a mail fetches its picture, unless pictures are off or were loaded before. */
function looks(c: Chance, who: Person, protects: boolean, by: 'reader' | 'forwarded', at: number): Visit[] {
  const proxy = PROXIES[who.mailbox]
  if (proxy) return c.is(0.92) ? [{ at, by: by === 'reader' ? 'reader_by_proxy' : by, seat: proxy, link: 0 }] : []
  if (protects ? !c.is(0.05) : !c.is(0.6)) return []
  return [{ at, by, seat: { ...who.browser, agent: who.program }, link: 0 }]
}

/** The links that a person follows: mostly one, sometimes several in tabs, sometimes the same again. */
function follows(c: Chance, who: Person, at_work: Company | null, by: 'reader' | 'forwarded', opened: number): Visit[] {
  const visits: Visit[] = []
  const seat = who.browser
  const count = c.weighted([
    [75, 1],
    [16, 2],
    [6, 3],
    [2, 4],
    [1, 6],
  ] as const)
  const in_tabs = c.is(0.06)
  let at = opened + Math.max(c.around(18, 0.9), 1.5) * SECOND
  for (let followed = 0; followed < count; followed++) {
    // The first links are followed most.
    const link = 1 + Math.floor(c.next() ** 2 * LINKS)
    if (c.is(0.003)) {
      visits.push({
        at: at - 200,
        by: 'browser_prefetch',
        seat,
        link,
        headers: { 'sec-purpose': 'prefetch;prerender' },
      })
    }
    visits.push({ at, by, seat, link })
    if (c.is(0.08)) visits.push({ at: at + c.between(0.3, 20) * SECOND, by, seat, link })
    // What checks a link when it is followed sends a machine of its own after it.
    if (at_work?.gateway === 'azure_scanner' && c.is(0.25)) {
      visits.push({ at: at + c.between(0, 2) * SECOND, by: 'azure_scanner', seat: at_work.scanner, link })
    }
    at += (in_tabs ? c.between(0.6, 2.5) : Math.max(c.around(35, 1), 3)) * SECOND
  }
  return visits
}

/** By mail or in a chat, to a few or to a whole team; they read it as their own, in their own time. */
function passesOn(c: Chance, at_work: Company | null, at: number): Visit[] {
  const visits: Visit[] = []
  const in_chat = c.is(0.25)
  if (in_chat) visits.push({ at, by: 'link_preview', seat: c.one(PREVIEWS), link: 1 + Math.floor(c.next() * LINKS) })
  for (
    let others = c.weighted([
      [50, 1],
      [25, 2],
      [15, 4],
      [7, 7],
      [3, 12],
    ] as const);
    others > 0;
    others--
  ) {
    const other = person(c, at_work ? 'company' : c.weighted(MAILBOXES), at_work)
    const opened = at + c.around(in_chat ? 6 : 40, 1.3) * MINUTE
    if (!in_chat) visits.push(...looks(c, other, false, 'forwarded', opened))
    if (c.is(in_chat ? 0.6 : 0.25)) visits.push(...follows(c, other, null, 'forwarded', opened))
  }
  return visits
}
