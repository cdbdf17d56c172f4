import { expect, test } from 'vitest'
import { readEvent } from '../../../src/events/record.ts'

const OPEN = {
  event_id: '3c502158-31e7-4c2a-99d5-9ed5477616d1',
  kind: 'open',
  campaign_id: 1,
  subscriber_id: 2,
  link: 0,
  occurred_at: '2026-11-24T10:00:00.000Z',
  country: 'DE',
}
const CLICK = { ...OPEN, kind: 'click', link: 3, country: null }
const LEFT = { ...OPEN, kind: 'unsubscribe', scope: 'all' }

test.each([OPEN, CLICK, LEFT, { ...LEFT, scope: 'lists' }])('reads %j as a line and as a message', (event) => {
  expect(readEvent(JSON.stringify(event))).toEqual(event)
  expect(readEvent(event)).toEqual(event)
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
])('refuses %s', (_name, source) => {
  expect(readEvent(source)).toBeNull()
})
