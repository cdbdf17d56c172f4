// DNS over HTTPS for tests: a server that answers from records written down in the test, the way Cloudflare's does.
import { type Endpoint, startEndpoint } from './http-endpoint.ts'

export interface ZoneRecord {
  type: 'A' | 'AAAA' | 'CNAME' | 'MX' | 'TXT'
  name: string
  /** A TXT value without quotes; it travels in strings of at most 255 characters, as in real DNS. */
  value: string
}

/** An RSA key of 2048 bits whose private half nobody kept. */
const KEY =
  'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtm/ohb85uKvkSQo2zbqLVeJLMxjucjofuXKTB/kt/+6Y8v3Z6rsQYlsU+VYqO9g/5r2yHqVabnbae4He6uVStxagCDzmCay57nIZus9jk48XO9pJksKBFHzsEhccyG0UBpkwbhL4BkukX/9tH2LqbwQ6IhiJsWmtP8Z3OAxAJHGGwYvfb+pRBMQW5ERhoLCPZbw6ArkpS9xJAmWcZFtr+nRfGvSNTkwX1XHeIZp5Ivg5UZok15gPLq2k+zWixM4kAsDKtkXIN8L9tZqhuqmyQnyxoSGoNRAaDLwCDQYdNmcrnRBgxJKFcsYvq47Lwbw28pwMNsuatEXqmAjoaaID0wIDAQAB'

/** A domain for tests of the API: in order, but for "p=none". */
export const DOCTOR_ZONE: ZoneRecord[] = [
  { type: 'MX', name: 'doctor.example', value: '10 mx.doctor.example' },
  { type: 'TXT', name: 'doctor.example', value: 'v=spf1 ip4:192.0.2.0/24 ~all' },
  { type: 'CNAME', name: 's1._domainkey.doctor.example', value: 's1.keys.service.example' },
  { type: 'TXT', name: 's1.keys.service.example', value: `v=DKIM1; k=rsa; p=${KEY}` },
  { type: 'TXT', name: '_dmarc.doctor.example', value: 'v=DMARC1; p=none; rua=mailto:dmarc@doctor.example' },
]

/** What a name answers instead of its records. */
export type Trouble =
  | 'SERVFAIL'
  | 'REFUSED'
  | 'silence'
  | 'garbage'
  | 'html'
  | 'huge'
  | 'wrong_types'
  | 'hang_up'
  | 'redirect'

export interface Zone {
  /** For the resolver. */
  url: string
  records: ZoneRecord[]
  /** By name; `*` is every name. */
  trouble: Map<string, Trouble>
  /** Every question that came, as `TYPE name`. */
  asked: string[]
  stop(): Promise<void>
}

const NUMBERS = { A: 1, CNAME: 5, MX: 15, TXT: 16, AAAA: 28 } as const
const STATUSES = { SERVFAIL: 2, REFUSED: 5 } as const

/** Names that exist: those with records, and what lies between them and the root. */
const exists = (records: ZoneRecord[], name: string) =>
  records.some((record) => record.name === name || record.name.endsWith(`.${name}`))

export async function startZone(records: ZoneRecord[] = []): Promise<Zone> {
  const zone: Omit<Zone, 'url' | 'stop'> = { records: [...records], trouble: new Map(), asked: [] }
  const endpoint: Endpoint = await startEndpoint(async (request, _body, response) => {
    const query = new URL(request.url ?? '/', 'http://zone').searchParams
    const name = query.get('name') ?? ''
    const type = query.get('type') as ZoneRecord['type']
    zone.asked.push(`${type} ${name}`)
    const trouble = zone.trouble.get(name) ?? zone.trouble.get('*')
    const answer = (status: number, body: string, headers: Record<string, string> = {}) =>
      response.writeHead(status, { 'content-type': 'application/dns-json', ...headers }).end(body)
    if (request.headers.accept !== 'application/dns-json') return void answer(400, '{"error":"Invalid query"}')
    switch (trouble) {
      case 'SERVFAIL':
      case 'REFUSED':
        return void answer(
          200,
          JSON.stringify({ Status: STATUSES[trouble], Question: [{ name, type: NUMBERS[type] }] }),
        )
      case 'silence':
        return
      case 'garbage':
        return void answer(200, '{"Status": 0, "Answer": [{"na')
      case 'html':
        return void answer(200, '<!doctype html><title>Sign in to this network</title>')
      case 'wrong_types':
        return void answer(200, JSON.stringify({ Status: 'NOERROR', Answer: { data: 7 } }))
      case 'huge':
        return void answer(200, JSON.stringify({ Status: 0, Answer: [], Comment: 'x'.repeat(1_000_000) }))
      case 'hang_up':
        return void request.socket.destroy()
      case 'redirect':
        return void answer(302, '', { location: 'http://127.0.0.1:1/' })
    }
    answer(200, JSON.stringify(answerOf(zone.records, name, type)))
  })
  return { ...zone, url: endpoint.url, stop: endpoint.stop }
}

function answerOf(records: ZoneRecord[], asked: string, type: ZoneRecord['type']) {
  const Answer: object[] = []
  let name = asked
  for (let hop = 0; hop < 8; hop++) {
    const alias = records.find((record) => record.name === name && record.type === 'CNAME')
    if (!alias) break
    Answer.push({ name: `${name}.`, type: NUMBERS.CNAME, TTL: 300, data: `${alias.value}.` })
    name = alias.value
  }
  for (const record of records.filter((one) => one.name === name && one.type === type)) {
    Answer.push({ name: `${name}.`, type: NUMBERS[type], TTL: 300, data: dataOf(record) })
  }
  return {
    Status: exists(records, name) ? 0 : 3,
    TC: false,
    Question: [{ name: `${asked}.`, type: NUMBERS[type] }],
    Answer,
  }
}

function dataOf({ type, value }: ZoneRecord): string {
  if (type === 'MX') return /\.$/.test(value) ? value : `${value}.`
  if (type !== 'TXT') return value
  const strings = value.match(/.{1,255}/gs) ?? ['']
  return strings.map((string) => `"${string.replace(/["\\]/g, '\\$&')}"`).join(' ')
}
