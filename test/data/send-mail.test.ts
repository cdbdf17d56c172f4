// The kit's own mails: whom they reach, and what they look like on the way.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashEmail } from '../../src/subscribers/erasure.ts'
import { DEVELOPMENT_HASH_KEY } from '../../src/tokens/development.ts'
import { findNoticeSender, noticeContent } from '../../src/transactional/notice-sender.ts'
import { readMails } from '../../src/transactional/record.ts'
import { sendMail } from '../../src/transactional/send-mail.ts'
import { insertSend } from '../../src/transactional/store.ts'
import type { MailContent } from '../../src/transactional/table.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

let t: TestDatabase
let content: MailContent
beforeAll(async () => {
  t = await openTestDatabase()
  await t.sql(`insert into senders (name, from_name, from_email, postal_address)
    values ('house', 'Acme', 'house@acme.example', 'Acme, 1 Main Street'), ('list', 'Acme News', 'news@acme.example', 'Acme')`)
  await t.sql(`insert into mailing_lists (name, sender_id) values ('without', null), ('with', 2)`)
  expect(await findNoticeSender(t.db, [1])).toBeNull()
  await t.sql(`update settings set sender_id = 1, brand_name = 'Acme', home_url = 'https://acme.example/'`)
  const sender = await findNoticeSender(t.db, [])
  if (!sender) throw new Error('no sender')
  content = noticeContent(sender, { subject: 'Hello', paragraphs: ['One'], button: null, small: null })
})
afterAll(() => t.close())

const queued: number[] = []
const services = (recipient_allowlist = '*') => ({
  db: t.db,
  hash_key: DEVELOPMENT_HASH_KEY,
  recipient_allowlist,
  transactional: {
    sendBatch: async (messages: Iterable<{ body: { mail_id: number } }>) => {
      for (const { body } of messages) queued.push(body.mail_id)
    },
  },
})

let count = 0
const address = () => `person-${++count}@example.com`

const suppress = (kind: string, value: string, reason: string) =>
  t.sql('insert into suppressions (kind, value, reason) values ($1, $2, $3)', [kind, value, reason])

/** What stands in the way of a mail, and whether a test, and a confirmation or data mail, is skipped for it. */
const OBSTACLES: [name: string, make: (email: string) => Promise<unknown>, test: string | null, own: string | null][] =
  [
    ['nothing', async () => undefined, null, null],
    ...(
      [
        ['unsubscribed', null],
        ['bounced', 'bounced'],
        ['complained', 'complained'],
      ] as const
    ).map(([status, own]): (typeof OBSTACLES)[number] => [
      `subscriber ${status}`,
      (email) => t.sql('insert into subscribers (email, status) values (upper($1), $2)', [email, status]),
      status,
      own,
    ]),
    [
      'deleted',
      async (email) => suppress('hash', await hashEmail(DEVELOPMENT_HASH_KEY, email), 'deleted'),
      'deleted',
      null,
    ],
    ['left behind', (email) => suppress('address', email, 'unsubscribe'), 'suppressed', null],
    ...(['manual', 'bounce', 'complaint'] as const).map((reason): (typeof OBSTACLES)[number] => [
      `suppressed: ${reason}`,
      (email) => suppress('address', email, reason),
      'suppressed',
      'suppressed',
    ]),
  ]

describe.each(OBSTACLES)('%s', (_, make, test_reason, own_reason) => {
  test.each([
    ['test', test_reason],
    ['confirmation', own_reason],
    ['data', own_reason],
  ] as const)('for a %s: %s, when it is written down and when it is read', async (purpose, reason) => {
    const [before, after] = [address(), address()]
    await make(before)
    const write = (email: string) =>
      purpose === 'test'
        ? hashEmail(DEVELOPMENT_HASH_KEY, email).then((hash) =>
            insertSend(t.db, { purpose, campaign_id: 7, content, warnings: [] }, [{ email, hash, reason: null }]),
          )
        : sendMail(services(), { purpose, email, content })
    const send = await write(before)
    const [mail] = await t.sql('select state, reason from transactional_mails where send_id = $1', [send.id])
    expect(mail).toEqual({ state: reason === null ? 'queued' : 'skipped', reason })
    if ('state' in send) expect(send).toMatchObject({ state: mail?.state, reason })
    const [kept] = await t.sql('select content is not null as content from transactional_sends where id = $1', [
      send.id,
    ])
    expect(kept).toEqual({ content: reason === null })

    const { id } = await write(after)
    await make(after)
    const [written] = await t.sql<{ id: number }>('select id::float8 from transactional_mails where send_id = $1', [id])
    const open = await readMails(t.db, [written?.id ?? 0])
    // A deletion is no reason to hold back a mail that somebody asked for before.
    const skipped = reason !== null && reason !== 'deleted'
    expect(open.map(({ email }) => email)).toEqual(skipped ? [] : [after])
  })
})

test('a suppressed domain and an address outside of the allowlist get nothing', async () => {
  await suppress('domain', 'dead.example', 'manual')
  expect(await sendMail(services(), { purpose: 'data', email: 'Ada@Dead.example', content })).toMatchObject({
    state: 'skipped',
    reason: 'suppressed',
  })
  const before = queued.length
  const mail = { purpose: 'confirmation', email: 'ada@example.com', content } as const
  expect(await sendMail(services('@acme.example'), mail)).toMatchObject({
    state: 'skipped',
    reason: 'not_in_allowlist',
  })
  expect(queued).toHaveLength(before)
  expect(await sendMail(services('ada@example.com'), mail)).toMatchObject({ state: 'queued', reason: null })
  expect(queued).toHaveLength(before + 1)
})

test('of a mail that the queue did not take nothing is left', async () => {
  const failing = {
    ...services(),
    transactional: {
      sendBatch: async () => {
        throw new Error('queue')
      },
    },
  }
  const email = address()
  await expect(sendMail(failing, { purpose: 'data', email, content })).rejects.toThrow('queue')
  expect(await t.sql('select 1 from transactional_mails where email = $1', [email])).toEqual([])
})

test('a list names who its mails are from, else the settings do; nobody unsubscribes from them', async () => {
  const [named, unnamed] = [await findNoticeSender(t.db, [1, 2]), await findNoticeSender(t.db, [1])]
  expect([named?.from_email, unnamed?.from_email]).toEqual(['news@acme.example', 'house@acme.example'])
  expect(unnamed?.brand).toEqual({
    brand_name: 'Acme',
    brand_logo_url: null,
    brand_color: null,
    home_url: 'https://acme.example/',
    privacy_url: null,
  })
  expect(content.headers).toEqual([['Auto-Submitted', 'auto-generated']])
  expect(content.text).toBe('One\n\n-- \nAcme\nAcme, 1 Main Street\nhttps://acme.example/\n')
})
