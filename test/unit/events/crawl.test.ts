import { describe, expect, test } from 'vitest'
import { judgeCrawl, judgeRecipient, type Seen } from '../../../src/events/judge.ts'

interface Walk {
  /** Seconds after some moment. */
  at: number
  subscriber_id: number
  links?: number
  pause?: number
  since_sent?: number
}

/** One recipient's links, followed one after another. */
function walk({ at, subscriber_id, links = 5, pause = 20, since_sent = 600 }: Walk): Seen[] {
  return Array.from({ length: links }, (_, n) => {
    const moment = Date.parse('2026-11-24T10:00:00.000Z') + (at + n * pause) * 1000
    return {
      ...{ event_id: `${subscriber_id}-${n}`, occurred_at: new Date(moment).toISOString(), at: moment },
      ...{ kind: 'click', subscriber_id, link: n + 1, method: 'GET', asn: 64500, agent: 'chrome', verdict: 'human' },
      since_sent: since_sent + n * pause,
    }
  })
}
const crawled = (...walks: Seen[][]) => judgeCrawl(walks.flat().sort((a, b) => a.at - b.at)).size

describe('from one network by one program', () => {
  test.each<[string, Seen[][], number]>([
    ['three mails gone through', [1, 2, 3].map((n) => walk({ at: n * 100, subscriber_id: n })), 15],
    ['two mails gone through', [1, 2].map((n) => walk({ at: n * 100, subscriber_id: n })), 0],
    ['three mails, some links of each', [1, 2, 3].map((n) => walk({ at: n * 100, subscriber_id: n, links: 4 })), 0],
    ['three mails at leisure', [1, 2, 3].map((n) => walk({ at: n * 100, subscriber_id: n, pause: 60 })), 0],
    ['three mails in one morning', [1, 2, 3].map((n) => walk({ at: n * 1000, subscriber_id: n })), 0],
    [
      'the readers beside them',
      [...[1, 2, 3].map((n) => walk({ at: n * 100, subscriber_id: n })), walk({ at: 150, subscriber_id: 9, links: 2 })],
      15,
    ],
  ])('%s', (_, walks, expected) => {
    expect(crawled(...walks)).toBe(expected)
  })

  test('an open beside a crawl of the same mail is part of it', () => {
    const walks = [1, 2, 3].map((n) => walk({ at: n * 100, subscriber_id: n }))
    const [first] = walks[0] ?? []
    if (!first) throw new Error('nobody walked')
    const open = (subscriber_id: number): Seen => ({
      ...first,
      event_id: `o${subscriber_id}`,
      kind: 'open',
      subscriber_id,
    })
    expect(crawled(...walks, [open(1)], [open(9)])).toBe(16)
  })
})

test('links in tabs are a scanner’s as the mail arrives, and a reader’s later', () => {
  const tabs = (since_sent: number) =>
    judgeRecipient(walk({ at: 0, subscriber_id: 1, links: 3, pause: 1.5, since_sent }))
  expect([tabs(20).size, tabs(3000).size]).toEqual([3, 0])
})
