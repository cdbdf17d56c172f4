import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exportRecipients, type RecipientsExport } from '../../../src/campaigns/recipients-export.ts'
import type { Database } from '../../../src/db/client.ts'
import { flushEvents } from '../../../src/events/flush.ts'
import { recordFeedback } from '../../../src/feedback/record.ts'
import { frozenCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { event } from '../events/events.ts'

let t: TestDatabase
let campaign_id: number
let ids: number[]
const [READER, APPLE, SCANNED, LEFT, BOUNCED, FAILED, DELETED] = [0, 1, 2, 3, 4, 5, 6]
const FORMULA = `=HYPERLINK("https://evil.example","click")@example.com`

beforeAll(async () => {
  t = await openTestDatabase()
  const seeded = await frozenCampaign(t, 7)
  campaign_id = seeded.campaign_id
  ids = seeded.subscriber_ids
  const id = (position: number | undefined) => ids[position ?? -1] ?? 0
  await t.sql(
    `update deliveries set state = 'sent', sent_at = '2026-11-24T06:00:00Z', lease_token = gen_random_uuid() where campaign_id = $1`,
    [campaign_id],
  )
  await t.sql(
    `update deliveries set state = 'failed', reason = 'refused', sent_at = null where campaign_id = $1 and subscriber_id = $2`,
    [campaign_id, id(FAILED)],
  )
  const machine = { verdict: 'machine', reason: 'scanner' } as const
  await flushEvents(t.db, [
    event('open', campaign_id, id(READER), { occurred_at: '2026-11-24T10:00:00.000Z' }),
    event('open', campaign_id, id(READER), { occurred_at: '2026-11-24T09:00:00.000Z', verdict: 'unsure' }),
    event('click', campaign_id, id(READER), { occurred_at: '2026-11-24T10:01:00.000Z' }),
    event('open', campaign_id, id(APPLE), { verdict: 'unsure', reason: 'apple_mpp' }),
    event('click', campaign_id, id(SCANNED), machine),
    event('unsubscribe', campaign_id, id(LEFT), { occurred_at: '2026-11-24T11:00:00.000Z' }),
  ])
  const told = (kind: 'delivered' | 'hard_bounce', position: number | undefined) => ({
    ...{ event_id: crypto.randomUUID(), source: 'ses' as const, kind, campaign_id, subscriber_id: id(position) },
    ...{ recipient: null, occurred_at: '2026-11-24T06:00:05.000Z', diagnostic: null, raw: null },
  })
  await recordFeedback(t.db, [told('delivered', READER), told('hard_bounce', BOUNCED)])
  await t.sql('update subscribers set email = $2 where id = $1', [id(SCANNED), FORMULA])
  await t.sql('delete from subscribers where id = $1', [id(DELETED)])
})
afterAll(() => t.close())

type Wanted = Partial<Omit<RecipientsExport, 'campaign_id'>>
const read = (wanted: Wanted, page_size?: number, db: Database = t.db) =>
  new Response(
    exportRecipients(db, { campaign_id, only: undefined, format: 'csv', formula_safe: true, ...wanted }, page_size),
  ).text()

/** As another reader of CSV has it. */
const records = async (wanted: Wanted, page_size?: number): Promise<Record<string, string>[]> =>
  parse(await read(wanted, page_size), { columns: true, record_delimiter: '\r\n' })

test('everybody, with what became of the mail and what they did', async () => {
  const rows = await records({})
  expect(rows.map(({ subscriber_id }) => Number(subscriber_id))).toEqual(ids)
  expect(rows[READER ?? 0]).toEqual({
    subscriber_id: String(ids[0]),
    email: expect.stringContaining('@example.com'),
    ...{ state: 'sent', reason: '', sent_at: '2026-11-24T06:00:00.000Z', delivered_at: '2026-11-24T06:00:05.000Z' },
    ...{ bounced_at: '', complained_at: '' },
    ...{ first_opened_at: '2026-11-24T09:00:00.000Z', opens: '2', human_opens: '1' },
    ...{ first_clicked_at: '2026-11-24T10:01:00.000Z', clicks: '1', human_clicks: '1', unsubscribed_at: '' },
  })
  expect(rows[BOUNCED ?? 0]).toMatchObject({ state: 'sent', bounced_at: '2026-11-24T06:00:05.000Z', opens: '0' })
  expect(rows[FAILED ?? 0]).toMatchObject({ state: 'failed', reason: 'refused', sent_at: '' })
  expect(rows[LEFT ?? 0]).toMatchObject({ unsubscribed_at: '2026-11-24T11:00:00.000Z' })
  expect(rows[DELETED ?? 0]).toMatchObject({ email: '', state: 'sent' })
})

test.each([
  ['opened', [READER, APPLE]],
  ['not_opened', [SCANNED, LEFT, BOUNCED, DELETED]],
  ['clicked', [READER]],
  ['not_clicked', [APPLE, SCANNED, LEFT, BOUNCED, DELETED]],
  ['unsubscribed', [LEFT]],
  ['bounced', [BOUNCED]],
  ['complained', []],
] as const)('only those who %s', async (only, expected) => {
  const rows = await records({ only }, 2)
  expect(rows.map(({ subscriber_id }) => ids.indexOf(Number(subscriber_id)))).toEqual(expected)
})

describe('as a file', () => {
  test.each([1, 2, 6, 7, 8])('pages of %i make the same file', async (page_size) => {
    expect(await read({}, page_size)).toBe(await read({}))
  })

  test('a formula becomes text, unless values are asked for as they are', async () => {
    expect((await records({}))[SCANNED ?? 0]?.email).toBe(`'${FORMULA}`)
    expect((await records({ formula_safe: false }))[SCANNED ?? 0]?.email).toBe(FORMULA)
  })

  test('lines of JSON', async () => {
    const text = await read({ format: 'ndjson', only: 'clicked' })
    expect(text.endsWith('\n')).toBe(true)
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([expect.objectContaining({ subscriber_id: ids[0], clicks: 1, bounced_at: null })])
    expect(await read({ format: 'ndjson', only: 'complained' })).toBe('')
  })

  test('reads no page before it is asked for, and breaks off when one cannot be read', async () => {
    let asked = 0
    const failing = Object.assign(Object.create(t.db), {
      execute: (statement: Parameters<Database['execute']>[0]) => {
        asked++
        return asked > 2 ? Promise.reject(new Error('gone')) : t.db.execute(statement)
      },
    }) as Database
    const wanted = { campaign_id, only: undefined, format: 'csv', formula_safe: true } as const
    const reader = exportRecipients(failing, wanted, 2).getReader()
    await reader.read()
    // One page lies ready beside the one that was taken.
    expect(asked).toBeLessThanOrEqual(2)
    await reader.read()
    await expect(reader.read()).rejects.toThrow('gone')
  })
})
