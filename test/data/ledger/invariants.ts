// What must be true of a campaign's ledger after every act, whoever acted.
import { expect } from 'vitest'
import type { DeliveryState } from '../../../src/ledger/status.ts'
import type { TestDatabase } from '../../support/database.ts'

type Sums = Record<'open' | 'sent' | 'failed' | 'skipped' | 'unconfirmed' | 'size', number>

/** One change of a delivery, as a trigger saw it. */
interface Change {
  subscriber_id: number
  from: DeliveryState
  to: DeliveryState
  from_reason: string | null
  to_reason: string | null
  /** The row's token, and that of its batch at that moment. */
  token: string | null
  holder: string | null
  /** Senders here sign with their token. */
  answer: string | null
}

export interface Standing {
  status: string
  frozen: boolean
  sending: boolean
  batches: ({ n: number } & Sums)[]
  rows: {
    id: number
    batch: number
    state: DeliveryState
    reason: string | null
    token: string | null
    proven: boolean
  }[]
  /** All since the start, in order. */
  changes: Change[]
}

/** Has Postgres write down every change of a delivery, so that none is missed between two looks, and guard the leases. */
export async function watchLedger(t: TestDatabase): Promise<void> {
  await t.sql(`create table changes (
    seq bigint primary key generated always as identity, campaign_id bigint, subscriber_id bigint, from_state text,
    to_state text, from_reason text, to_reason text, token uuid, holder uuid, answer text)`)
  await t.sql(`create function write_down() returns trigger language plpgsql as $$ begin
    insert into changes (campaign_id, subscriber_id, from_state, to_state, from_reason, to_reason, token, holder, answer)
    values (new.campaign_id, new.subscriber_id, old.state, new.state, old.reason, new.reason, new.lease_token,
      (select lease_token from batches where campaign_id = new.campaign_id and n = new.batch), new.answer);
    return null; end $$`)
  await t.sql('create trigger write_down after update on deliveries for each row execute function write_down()')
  await t.sql(`create function guard() returns trigger language plpgsql as $$ begin
    if old.lease_token <> new.lease_token and old.lease_until >= now() then raise 'a live lease was taken'; end if;
    return null; end $$`)
  await t.sql('create trigger guard after update on batches for each row execute function guard()')
}

export async function readStanding(t: TestDatabase, campaign_id: number): Promise<Standing> {
  const [row] = await t.sql<Standing>(
    `select c.status, c.frozen_at is not null as frozen, (select sending from settings) as sending,
       coalesce((select jsonb_agg(jsonb_build_object('n', n, 'size', size, 'open', open, 'sent', sent, 'failed', failed,
           'skipped', skipped, 'unconfirmed', unconfirmed) order by n)
         from batches where campaign_id = c.id), '[]') as batches,
       coalesce((select jsonb_agg(jsonb_build_object('id', d.subscriber_id, 'batch', d.batch, 'state', d.state,
           'reason', d.reason, 'token', d.lease_token, 'proven', e.campaign_id is not null) order by d.subscriber_id)
         from deliveries d left join recipient_stats e on e.campaign_id = d.campaign_id and e.subscriber_id = d.subscriber_id
         where d.campaign_id = c.id), '[]') as rows,
       coalesce((select jsonb_agg(jsonb_build_object('subscriber_id', subscriber_id, 'from', from_state, 'to', to_state,
           'from_reason', from_reason, 'to_reason', to_reason, 'token', token, 'holder', holder, 'answer', answer) order by seq)
         from changes where campaign_id = c.id), '[]') as changes
     from campaigns c where c.id = $1`,
    [campaign_id],
  )
  if (!row) throw new Error('the campaign is gone')
  return row
}

const OPEN: readonly DeliveryState[] = ['pending', 'sending', 'deferred']

/** Where a row may go from each state. Ends are final, but an answer or proof may come late, and the owner may try again. */
const MAY_BECOME: Record<DeliveryState, readonly DeliveryState[]> = {
  pending: ['sending', 'skipped', 'failed', 'deferred'],
  deferred: ['sending', 'skipped', 'failed', 'deferred'],
  sending: ['sending', 'sent', 'failed', 'unconfirmed', 'deferred', 'pending'],
  unconfirmed: ['sent', 'failed', 'deferred', 'pending'],
  sent: [],
  failed: ['pending'],
  skipped: [],
}

/**
 * @param mailed - by recipient the tokens of the senders that really mailed them
 * @param lifted - whether a halt may have ended in between
 */
export function expectTheContract(
  before: Standing,
  now: Standing,
  mailed: ReadonlyMap<number, readonly string[]>,
  lifted: boolean,
): void {
  const fresh = now.changes.slice(before.changes.length)
  for (const { n, ...sums } of now.batches) {
    const rows = now.rows.filter(({ batch }) => batch === n)
    const count = (...states: DeliveryState[]) => rows.filter(({ state }) => states.includes(state)).length
    expect(sums, `the counters of batch ${n} are a recount of its rows`).toEqual({
      size: rows.length,
      open: count(...OPEN),
      sent: count('sent'),
      failed: count('failed'),
      skipped: count('skipped'),
      unconfirmed: count('unconfirmed'),
    })
  }
  expect(new Set(now.rows.map(({ batch }) => batch)).size, 'every row is in a batch').toBe(now.batches.length)

  for (const { id, state, reason, token, proven } of now.rows) {
    if (state === 'sent' && reason !== 'accepted_by_owner') expect(mailed.has(id), 'sent was sent').toBe(true)
    if (state === 'sending') expect(token, 'a sending row has a sender').not.toBeNull()
    if (state === 'unconfirmed') expect(proven, 'what is proven is not unconfirmed').toBe(false)
  }

  for (const [id, tokens] of mailed) expectMailedOnce(now.changes, id, tokens)

  for (const change of fresh) {
    const waits = change.from === 'pending' || change.from === 'deferred'
    const late = waits && change.to === 'sent' && change.from_reason === 'resend'
    if (change.from !== change.to && !late) expect(MAY_BECOME[change.from], change.from).toContain(change.to)
    if (change.from === 'sending' && ['failed', 'deferred', 'pending'].includes(change.to)) {
      expect(change.answer, 'only who marked a row says what became of it').toBe(change.token)
    }
    if (change.to === 'sending') expect(change.token, 'only who has the lease marks').toBe(change.holder)
  }

  if (now.status === 'sent') {
    expect(now.frozen, 'a sent campaign is frozen to its end').toBe(true)
    expect(now.rows.filter(({ state }) => OPEN.includes(state))).toEqual([])
  }
  if (before.status === 'cancelled') expect(now.status).toBe('cancelled')
  const halted = before.status === 'paused' || before.status === 'cancelled' || !before.sending
  if (halted && !lifted) {
    expect(
      fresh.filter(({ to }) => to === 'sending'),
      'a halted campaign marks nobody',
    ).toEqual([])
  }
}

/** Between two marks that led to a mail there is the owner's word that it be sent again. */
function expectMailedOnce(changes: readonly Change[], id: number, tokens: readonly string[]): void {
  expect(new Set(tokens).size, 'no sender mails anybody twice').toBe(tokens.length)
  let by: string | null = null
  for (const { subscriber_id, from, to, to_reason, token } of changes) {
    if (subscriber_id !== id) continue
    if (from === 'unconfirmed' && to === 'pending' && to_reason === 'resend') by = null
    if (to !== 'sending' || token === null || token === by || !tokens.includes(token)) continue
    expect(by, 'nobody is mailed twice unless the owner said so').toBeNull()
    by = token
  }
}
