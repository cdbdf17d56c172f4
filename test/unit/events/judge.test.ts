import { describe, expect, test } from 'vitest'
import { isTooFast, judgeNetwork, judgeRecipient, type Seen } from '../../../src/events/judge.ts'

/** A click so many seconds after some moment. */
function click(seconds: number, link: number, more: Partial<Seen> = {}): Seen {
  const at = Date.parse('2026-11-24T10:00:00.000Z') + seconds * 1000
  return {
    ...{
      event_id: `${seconds}-${link}`,
      occurred_at: new Date(at).toISOString(),
      at,
      kind: 'click',
      subscriber_id: 1,
      link,
    },
    ...{ method: 'GET', asn: 64500, agent: 'chrome', since_sent: 20, verdict: 'human' },
    ...more,
  }
}
const reasons = (events: Seen[]) => {
  const judged = judgeRecipient(events)
  return events.map((event) => judged.get(event) ?? null)
}

describe('one recipient', () => {
  test.each<[string, [number, number][], boolean]>([
    [
      'one link, again and again',
      [
        [0, 1],
        [0.1, 1],
        [0.2, 1],
        [0.3, 1],
        [0.4, 1],
      ],
      false,
    ],
    [
      'two links after one another',
      [
        [0, 1],
        [1.1, 2],
      ],
      false,
    ],
    [
      'two links at once',
      [
        [0, 1],
        [1, 2],
      ],
      true,
    ],
    [
      'two links in tabs, and a third a moment later',
      [
        [0, 1],
        [2, 2],
        [4.1, 3],
      ],
      false,
    ],
    [
      'three links within four seconds',
      [
        [0, 1],
        [2, 2],
        [4, 3],
      ],
      true,
    ],
    [
      'a newsletter read link by link',
      [
        [0, 1],
        [8, 2],
        [16, 3],
        [24, 4],
        [32, 5],
        [40, 6],
      ],
      false,
    ],
    [
      'six links within half a minute',
      [
        [0, 1],
        [6, 2],
        [12, 3],
        [18, 4],
        [24, 5],
        [30, 6],
      ],
      true,
    ],
  ])('%s', (_name, clicks, machine) => {
    const all = new Set(reasons(clicks.map(([seconds, link]) => click(seconds, link))))
    expect(all).toEqual(new Set([machine ? 'link_burst' : null]))
  })

  test('what the same program did around a burst is its work too; what another did is not', () => {
    const events = [
      click(-61, 1),
      click(-60, 1, { kind: 'open', link: 0 }),
      click(-30, 1, { asn: 64999 }),
      click(0, 1),
      click(0.5, 2),
      click(20, 9, { agent: 'safari' }),
      click(60, 9),
    ]
    expect(reasons(events)).toEqual([null, 'link_burst', null, 'link_burst', 'link_burst', null, 'link_burst'])
  })

  test('who asks for the head of a link asks for the link too', () => {
    const head = (seconds: number, link: number) => click(seconds, link, { method: 'HEAD', verdict: 'machine' })
    expect(reasons([click(-3, 7), head(0, 7), click(2, 8), click(9, 7), click(12, 7)])).toEqual([
      'head_beside',
      'head_beside',
      null,
      'head_beside',
      null,
    ])
  })
})

describe('one network', () => {
  const clicks = (count: number, every: number, since_sent: number) =>
    Array.from({ length: count }, (_, i) => click(i * every, 1, { subscriber_id: i + 1, since_sent }))
  test.each<[string, Seen[], number]>([
    ['three in a minute, each seconds after its mail', clicks(3, 20, 15), 3],
    ['two', clicks(2, 1, 6), 0],
    ['three, but one recipient', clicks(3, 1, 6).map((one) => ({ ...one, subscriber_id: 1 })), 0],
    ['seven that were not that fast', clicks(7, 5, 30), 0],
    ['eight', clicks(8, 5, 45), 8],
    ['many readers of one carrier, who took their time', clicks(500, 1, 46), 0],
    ['a reader now and then', clicks(50, 31, 10), 0],
  ])('%s', (_name, events, machines) => {
    expect(judgeNetwork(events).size).toBe(machines)
  })
})

test.each<[Partial<Seen>, boolean]>([
  [{ since_sent: 4 }, true],
  [{ since_sent: 5 }, false],
  [{ since_sent: null }, false],
  [{ kind: 'open', since_sent: 1 }, true],
  [{ kind: 'open', since_sent: 2 }, false],
  [{ kind: 'open', since_sent: 0, verdict: 'unsure' }, false],
  [{ kind: 'open', since_sent: 9, verdict: 'unsure', agent: 'unknown' }, true],
])('alone: %j is too fast: %s', (seen, fast) => {
  expect(isTooFast(click(0, 1, seen))).toBe(fast)
})
