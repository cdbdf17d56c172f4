import * as z from 'zod'
import { TIMELINE_KINDS } from '../feedback/timeline.ts'
import { named, pageQuery, time } from '../http/schema.ts'
import { PURPOSES } from '../transactional/status.ts'
import { HISTORY_KINDS } from './history.ts'

const ENTRIES = 100

export const historyQuery = z.strictObject({
  ...pageQuery,
  limit: pageQuery.limit
    .unwrap()
    .default(ENTRIES)
    .openapi({ type: 'integer', minimum: 1, maximum: 200, default: ENTRIES }),
})

const nameOf = z.strictObject({ id: z.int(), name: z.string().nullable() }).nullable()

export const historyEntry = named(
  'HistoryEntry',
  z.strictObject({
    at: time,
    what: z.enum([...HISTORY_KINDS, ...TIMELINE_KINDS]).openapi({
      description:
        '`subscribed`, `resubscribed` and `unsubscribed` are consents; `joined` and `left` are lists without one. The others are what happens to a mail, in the words of its timeline',
    }),
    detail: z.string().nullable(),
    campaign: nameOf.openapi({ description: 'Of a mail, an open or a click; its name is null once it is gone' }),
    list: nameOf,
    purpose: z
      .enum(PURPOSES)
      .nullable()
      .openapi({ description: 'Why a mail was sent to them alone; null for those of campaigns' }),
    source: z.string().nullable(),
    country: z.string().nullable(),
    wording: z.string().nullable().openapi({ description: 'What they read when they agreed, word for word' }),
    reason: z.string().nullable().openapi({ description: 'Why they left, in their own words' }),
    url: z.string().nullable().openapi({ description: 'The link of a click, where it is known' }),
    verdict: z.enum(['human', 'machine', 'unsure']).nullable().openapi({ description: 'Who opened or clicked' }),
  }),
)
