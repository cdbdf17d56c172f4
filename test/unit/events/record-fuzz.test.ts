import { expect, test } from 'vitest'
import { readEvent } from '../../../src/events/record.ts'
import { seededRandom } from '../../support/random.ts'

const GOOD = {
  event_id: '3c502158-31e7-4c2a-99d5-9ed5477616d1',
  kind: 'open',
  campaign_id: 1,
  subscriber_id: 2,
  link: 0,
  occurred_at: '2026-11-24T10:00:00.000Z',
  method: 'GET',
  asn: 3320,
  agent: 'chrome',
  country: 'DE',
  region: 'BY',
  device: 'phone',
  client: 'gmail',
  verdict: 'human',
  reason: 'mail_proxy',
  rules: 1,
}
const FIELDS = [...Object.keys(GOOD), 'scope']
const ODD: unknown[] = [
  ...[
    null,
    undefined,
    true,
    '',
    ' ',
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\u2028',
    '%00',
    '{{x}}',
    "'; drop table",
    '[]',
    'NaN',
  ],
  ...[0, -0, -1, 0.5, 1, 2 ** 15, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, 1e308, Number.NaN, Infinity, 10n.toString()],
  ...['open', 'click', 'unsubscribe', 'lists', 'all', 'HEAD', 'POST', 'machine', 'unsure', 'tablet', 'XX', 'A1', 'ABC'],
  ...[
    '2026-02-29T00:00:00.000Z',
    '+275760-09-13T00:00:00.000Z',
    '1970-01-01T00:00:00.000Z',
    '2999-12-31T23:59:59.999Z',
  ],
  ...['9'.repeat(400), 'a'.repeat(2000), [], ['open'], {}, { toString: 'x' }, [[[[]]]]],
]

/** What Postgres takes, told by its types and checks and not by the reader's own patterns. */
function fits(event: Record<string, unknown>): boolean {
  const text = (value: unknown, most: number) =>
    value === null || (typeof value === 'string' && value.length <= most && /^[ -~]*$/.test(value))
  const whole = (value: unknown, most: number) =>
    value === null || (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most)
  return (
    ['event_id', 'agent', 'client', 'reason', 'region', 'country'].every((key) => text(event[key], 64)) &&
    ['campaign_id', 'subscriber_id'].every((key) => whole(event[key], Number.MAX_SAFE_INTEGER)) &&
    [event.event_id, event.campaign_id, event.agent, event.rules, event.link].every((value) => value !== null) &&
    whole(event.link, 2 ** 31 - 1) &&
    whole(event.rules, 2 ** 15 - 1) &&
    whole(event.asn, 2 ** 32 - 1) &&
    ['open', 'click', 'unsubscribe'].includes(String(event.kind)) &&
    ['human', 'machine', 'unsure'].includes(String(event.verdict)) &&
    [null, 'phone', 'tablet', 'computer'].includes(event.device as string | null) &&
    (event.subscriber_id !== null || event.kind !== 'unsubscribe') &&
    /^2\d{3}-\d\d-\d\dT/.test(String(event.occurred_at)) &&
    Object.keys(event).every((key) => FIELDS.includes(key))
  )
}

test('120,000 lines, forged, cut and garbled: none throws, and what is read fits the table', () => {
  const random = seededRandom(20261124)
  const any = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T
  const whole = JSON.stringify(GOOD)
  const makers = [
    () => whole.slice(0, Math.floor(random() * whole.length)),
    () => whole.replace(any([...whole]), any(['"', '{', '\\', '\u0000', '9', 'é', ''])),
    () =>
      String.fromCharCode(...Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 65_536))),
    () => any(['', 'null', '0', '"x"', '[', '[]', '{}', '[{}]', '{"__proto__":{"kind":"open"}}', '{'.repeat(500)]),
    () => any(ODD),
    () => JSON.stringify({ ...GOOD, [any(FIELDS)]: any(ODD) }),
    () => ({ ...GOOD, [any(FIELDS)]: any(ODD) }),
    () => ({ ...GOOD, [any(FIELDS)]: any(ODD), [any(FIELDS)]: any(ODD), [any(FIELDS)]: any(ODD) }),
    () =>
      JSON.stringify(Object.fromEntries(FIELDS.map((key) => [key, random() < 0.8 ? GOOD[key as 'kind'] : any(ODD)]))),
  ]
  let read = 0
  for (let i = 0; i < 120_000; i++) {
    const source = any(makers)()
    const event = readEvent(source)
    if (event === null) continue
    read++
    if (!fits(event as unknown as Record<string, unknown>)) expect.fail(`accepted ${JSON.stringify(source)}`)
  }
  // Some survive, else nothing was tested.
  expect(read).toBeGreaterThan(2000)
})
