// DNS over HTTPS in the JSON form that Cloudflare and Google serve: Workers have no other way to ask for TXT and MX.

import { shown } from './finding.ts'
import { readTexts } from './texts.ts'

/** Asked in this order: the second only when the first gives no answer. */
export const RESOLVERS = ['https://cloudflare-dns.com/dns-query', 'https://dns.google/resolve'] as const

export type RecordType = 'A' | 'AAAA' | 'MX' | 'TXT'
/** IANA, "Resource Record (RR) TYPEs". */
const NUMBERS: Record<RecordType | 'CNAME', number> = { A: 1, CNAME: 5, MX: 15, TXT: 16, AAAA: 28 }

/** `alias` is where the name's CNAMEs lead in the end, null when it has none. */
export type Answer =
  | { kind: 'found'; values: string[]; alias: string | null }
  /** `exists`: the name is there, but has no record of this type. */
  | { kind: 'none'; exists: boolean; alias: string | null }
  | { kind: 'failed'; why: string }

export interface Resolver {
  /**
   * @param name - without a dot at the end
   * @returns TXT records with their strings joined, MX records as `preference host`. Never throws
   */
  look(name: string, type: RecordType): Promise<Answer>
}

export interface ResolverOptions {
  fetch: typeof fetch
  urls?: readonly string[]
  /** Longest wait for one answer, ms. */
  patience?: number
  /** Ends everything: the time of the whole run. */
  signal?: AbortSignal
}

const PATIENCE = 3_000
/** Bytes of an answer: 64 KB is the most that DNS itself carries (RFC 1035 4.2.2). */
const LARGEST = 131_072
/** Records of an answer that are looked at. */
const MOST_RECORDS = 200
/** Requests open at once: a Worker has six connections for everything. */
const AT_ONCE = 4
/** Questions of one run: an SPF record may name anything, and others write it. */
const MOST_QUESTIONS = 250

/** A resolver for one run: every name is asked for once. */
export function openResolver({ fetch, urls = RESOLVERS, patience = PATIENCE, signal }: ResolverOptions): Resolver {
  const asked = new Map<string, Promise<Answer>>()
  const waiting: (() => void)[] = []
  let free = AT_ONCE

  async function ask(name: string, type: RecordType): Promise<Answer> {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      const failures: string[] = []
      for (const url of urls) {
        if (signal?.aborted) failures.push('no time was left')
        else {
          const answer = await askOne(fetch, url, name, type, patience, signal)
          if (answer.kind !== 'failed') return answer
          failures.push(`${new URL(url).host}: ${answer.why}`)
        }
      }
      return { kind: 'failed', why: failures.join('; ') }
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }

  return {
    look(name, type) {
      const question = `${type} ${name.toLowerCase()}`
      const known = asked.get(question)
      if (known) return known
      if (asked.size >= MOST_QUESTIONS) {
        return Promise.resolve({ kind: 'failed', why: `more than ${MOST_QUESTIONS} questions were needed` })
      }
      const answer = ask(name.toLowerCase(), type)
      asked.set(question, answer)
      return answer
    },
  }
}

async function askOne(
  get: typeof fetch,
  url: string,
  name: string,
  type: RecordType,
  patience: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const timeout = AbortSignal.timeout(patience)
  try {
    const response = await get(`${url}?name=${encodeURIComponent(name)}&type=${type}`, {
      headers: { accept: 'application/dns-json' },
      redirect: 'manual',
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
    })
    const body = await readText(response)
    if (response.status !== 200) return { kind: 'failed', why: `HTTP ${response.status}` }
    return body === null ? { kind: 'failed', why: 'the answer is too large' } : readAnswer(body, type)
  } catch (error) {
    const late = timeout.aborted || signal?.aborted
    return { kind: 'failed', why: late ? 'no answer in time' : wordsOf(error) }
  }
}

const wordsOf = (error: unknown) => shown(error instanceof Error ? error.message : 'the request failed', 100)

/** @returns null when there is more than anyone may send */
async function readText(response: Response): Promise<string | null> {
  if (response.body === null) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    size += value.byteLength
    if (size > LARGEST) {
      await reader.cancel().catch(() => {})
      return null
    }
    text += decoder.decode(value, { stream: true })
  }
}

/** RFC 1035 4.1.1 and 6895 2.3. */
const STATUSES: Record<number, string> = { 1: 'FORMERR', 2: 'SERVFAIL', 4: 'NOTIMP', 5: 'REFUSED' }
const NXDOMAIN = 3

/** What a resolver's JSON says about one question. */
export function readAnswer(body: string, type: RecordType): Answer {
  const { Status, Answer } = jsonObject(body)
  if (typeof Status !== 'number') return { kind: 'failed', why: 'the answer is not DNS' }
  if (Status !== 0 && Status !== NXDOMAIN) return { kind: 'failed', why: STATUSES[Status] ?? `DNS status ${Status}` }
  const records = Array.isArray(Answer) ? Answer.slice(0, MOST_RECORDS).filter(isRecord) : []
  const aliases = records.filter((record) => record.type === NUMBERS.CNAME)
  const alias = aliases.at(-1)?.data.replace(/\.$/, '').toLowerCase() ?? null
  const values = records.filter((record) => record.type === NUMBERS[type]).map(({ data }) => readValue(data, type))
  if (values.length > 0) return { kind: 'found', values, alias }
  return { kind: 'none', exists: Status === 0, alias }
}

function readValue(data: string, type: RecordType): string {
  if (type === 'TXT') return readTexts(data).join('')
  return data
    .trim()
    .toLowerCase()
    .replace(/(.)\.$/, '$1')
}

const isRecord = (value: unknown): value is { type: number; data: string } =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  typeof value.type === 'number' &&
  'data' in value &&
  typeof value.data === 'string'

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
