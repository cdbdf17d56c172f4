import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unknownVariables } from '../../../src/campaigns/check/variables.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
  // List 1: 3,000 people, of whom only one in the middle has a city, and the newest a plan. List 2: one, who left. List 3: none.
  await t.sql(`insert into mailing_lists (name) values ('large'), ('left'), ('empty')`)
  await t.sql(`insert into subscribers (email, attributes) select 'p' || i || '@example.com',
    case i when 1500 then '{"city": "Bonn"}' when 3000 then '{"plan": "pro", "items": [], "flag": false, "a": {"b": 1}}' else '{}' end::jsonb
    from generate_series(1, 3001) i`)
  await t.sql(`insert into list_members (list_id, subscriber_id) select 1, i from generate_series(1, 3000) i`)
  await t.sql(
    `insert into list_members (list_id, subscriber_id, status, unsubscribed_at) values (2, 3001, 'unsubscribed', now())`,
  )
})
afterAll(() => t.close())

const audience = (fields: object = {}) => ({ include: [1], exclude: [], where: {}, sample: null, ...fields })
const warned = async (fields: object, ...names: string[]) =>
  (
    await unknownVariables(
      t.db,
      audience(fields),
      names.map((name) => ({ name })),
    )
  ).map(({ detail }) => detail)

describe('variables that nobody has', () => {
  test('are those that not one of a list has', async () => {
    expect(await warned({}, 'attributes.plan', 'attributes.city', 'first_name')).toEqual([
      'Nobody in the audience has first_name.',
    ])
  })

  test('are nested, empty or false as they are in the data', async () => {
    const names = [
      'attributes.flag',
      'attributes.a.b',
      'attributes.a.c',
      'attributes.items[].sku',
      'attributes.plan.length',
    ]
    expect(await warned({}, ...names)).toEqual([
      'Nobody in the audience has attributes.a.c.',
      'Nobody in the audience has attributes.items.',
    ])
  })

  test('are asked of those who are meant: the attributes that must be equal, and the lists that are left out', async () => {
    expect(await warned({ where: { plan: 'pro' } }, 'attributes.city')).toEqual([
      'Nobody in the audience has attributes.city.',
    ])
    expect(await warned({ exclude: [1] }, 'attributes.city')).toEqual([])
  })

  test('are not spoken of when nobody could be asked', async () => {
    for (const include of [[2], [3], [999]]) expect(await warned({ include }, 'attributes.city')).toEqual([])
  })

  test('are told from those that no mail has, which needs no look at anybody', async () => {
    const names = [
      'emial',
      'email',
      'unsubscribe_url',
      'web_view_url',
      'preferences_url',
      'campaign.name',
      'campaign.title',
      'list.id',
      'attributes',
      'constructor',
    ]
    expect(await warned({ include: [3] }, ...names)).toEqual([
      'No mail has a variable emial. Did you mean "email"?',
      'No mail has a variable campaign.title.',
      'No mail has a variable constructor.',
    ])
  })
})
