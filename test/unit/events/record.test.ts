import { expect, test } from 'vitest'
import { isTimely, readEvent } from '../../../src/events/record.ts'

const OPEN = {
  event_id: '3c502158-31e7-4c2a-99d5-9ed5477616d1',
  kind: 'open',
  campaign_id: 1,
  subscriber_id: 2,
  link: 0,
  occurred_at: '2026-11-24T10:00:00.000Z',
  method: 'GET',
  asn: 3320,
  agent: 'apple_mail',
  country: 'DE',
  region: 'BY',
  device: 'phone',
  client: 'apple_mail',
  verdict: 'unsure',
  reason: 'apple_mpp',
  rules: 1,
}
const CLICK = {
  ...OPEN,
  kind: 'click',
  link: 3,
  asn: null,
  country: null,
  region: null,
  device: null,
  client: null,
  reason: null,
}
const NOBODY = { ...CLICK, subscriber_id: null }
const LEFT = { ...OPEN, kind: 'unsubscribe', scope: 'all' }

test.each([OPEN, CLICK, NOBODY, LEFT, { ...LEFT, scope: 'lists' }])('reads %j as a line and as a message', (event) => {
  expect(readEvent(JSON.stringify(event))).toEqual(event)
  expect(readEvent(event)).toEqual(event)
})

test('a line of before reads as a visit of which nothing more is known', () => {
  const { event_id, kind, campaign_id, subscriber_id, link, occurred_at, country } = OPEN
  const old = { event_id, kind, campaign_id, subscriber_id, link, occurred_at, country }
  const unknown = { region: null, device: null, client: null, asn: null, reason: null }
  expect(readEvent(JSON.stringify(old))).toEqual({
    ...{ ...old, ...unknown },
    ...{ method: 'GET', agent: 'unknown', verdict: 'unsure', rules: 0 },
  })
})

test('fields that nobody knows are dropped', () => {
  expect(readEvent({ ...OPEN, ip: '192.0.2.1', __proto__: { admin: true } })).toEqual(OPEN)
})

const NOW = new Date('2026-11-24T12:00:00.000Z')
test.each([
  ['now', 'open', '2026-11-24T12:00:00.000Z', true],
  ['five minutes ahead', 'click', '2026-11-24T12:05:00.000Z', true],
  ['more than that', 'open', '2026-11-24T12:05:00.001Z', false],
  ['395 days old', 'open', '2025-10-25T12:00:00.000Z', true],
  ['older', 'click', '2025-10-25T11:59:59.999Z', false],
  ['an unsubscribe of next year', 'unsubscribe', '2027-11-24T12:00:00.000Z', true],
  ['an unsubscribe of long ago', 'unsubscribe', '2010-01-01T00:00:00.000Z', true],
])('%s: %s at %s is timely: %s', (_name, kind, occurred_at, timely) => {
  const event = readEvent(
    kind === 'open' ? { ...OPEN, occurred_at } : { ...(kind === 'click' ? CLICK : LEFT), occurred_at },
  )
  expect(event && isTimely(event, NOW, 395)).toBe(timely)
})

test.each<[string, unknown]>([
  ['nothing', ''],
  ['no JSON', '{'],
  ['a number', '5'],
  ['null', null],
  ['a list', []],
  ['no id', { ...OPEN, event_id: '' }],
  ['an id with a zero byte', { ...OPEN, event_id: 'a\u0000' }],
  ['a long id', { ...OPEN, event_id: 'a'.repeat(65) }],
  ['an unknown kind', { ...OPEN, kind: 'bounce' }],
  ['a campaign as text', { ...OPEN, campaign_id: '1' }],
  ['campaign zero', { ...OPEN, campaign_id: 0 }],
  ['a broken subscriber', { ...OPEN, subscriber_id: 1.5 }],
  ['an unsafe subscriber', { ...OPEN, subscriber_id: 2 ** 53 }],
  ['a link past integer', { ...CLICK, link: 2 ** 31 }],
  ['a negative link', { ...CLICK, link: -1 }],
  ['a click on no link', { ...CLICK, link: 0 }],
  ['an open of a link', { ...OPEN, link: 1 }],
  ['an unsubscribe without a scope', { ...LEFT, scope: undefined }],
  ['an unknown scope', { ...LEFT, scope: 'some' }],
  ['an open with a scope', { ...OPEN, scope: 'all' }],
  ['a day that does not exist', { ...OPEN, occurred_at: '2026-02-30T10:00:00.000Z' }],
  ['a time without milliseconds', { ...OPEN, occurred_at: '2026-11-24T10:00:00Z' }],
  ['a local time', { ...OPEN, occurred_at: '2026-11-24T10:00:00.000' }],
  ['year zero', { ...OPEN, occurred_at: '0000-01-01T00:00:00.000Z' }],
  ['a time as a number', { ...OPEN, occurred_at: 1_800_000_000_000 }],
  ['no country at all', { ...OPEN, country: undefined }],
  ['a city', { ...OPEN, country: 'Berlin' }],
  ['an unsubscribe by nobody', { ...LEFT, subscriber_id: null }],
  ['no subscriber at all', { ...OPEN, subscriber_id: undefined }],
  ['an unknown method', { ...OPEN, method: 'get' }],
  ['a network past 32 bits', { ...OPEN, asn: 2 ** 32 }],
  ['a network as text', { ...OPEN, asn: '3320' }],
  ['a whole user agent', { ...OPEN, agent: 'Mozilla/5.0' }],
  ['a long agent', { ...OPEN, agent: 'a'.repeat(33) }],
  ['no agent', { ...OPEN, agent: null }],
  ['an agent with a line break', { ...OPEN, agent: 'chrome\n' }],
  ['the name of a region', { ...OPEN, region: 'Bavaria' }],
  ['an unknown device', { ...OPEN, device: 'watch' }],
  ['a client with spaces', { ...OPEN, client: 'apple mail' }],
  ['an unknown verdict', { ...OPEN, verdict: 'robot' }],
  ['a reason in words', { ...OPEN, reason: 'Too fast' }],
  ['rules past smallint', { ...OPEN, rules: 2 ** 15 }],
])('refuses %s', (_name, source) => {
  expect(readEvent(source)).toBeNull()
})
