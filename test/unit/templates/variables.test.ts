import { describe, expect, test } from 'vitest'
import { compileHtmlSource } from './compiling.ts'

describe('the variables', () => {
  test.each([
    ['{{email}}{{attributes.plan}}{{email}}', ['attributes.plan', 'email']],
    ['{{#if a}}{{b}}{{else}}{{c}}{{/if}}{{default d "x"}}{{upper (default e f)}}', ['a', 'b', 'c', 'd', 'e', 'f']],
    [
      '{{#each items}}{{name}}{{../total}}{{@index}}{{this}}{{@root.email}}{{/each}}',
      ['email', 'items', 'items[]', 'items[].name', 'total'],
    ],
    [
      '{{#each items as |item i|}}{{item.name}}{{i}}{{#each item.tags}}{{../sku}}{{.}}{{/each}}{{/each}}',
      ['items', 'items[].name', 'items[].sku', 'items[].tags', 'items[].tags[]'],
    ],
    [
      '{{#with address}}{{city}}{{#with geo as |g|}}{{g.lat}}{{/with}}{{../email}}{{/with}}',
      ['address', 'address.city', 'address.geo', 'address.geo.lat', 'email'],
    ],
    ['{{#list}}{{x}}{{/list}}', ['list', 'list[].x']],
    ['<a href="{{attributes.url}}">{{! {{no}} }}</a>', ['attributes.url']],
    // What an inline partial reads is what it reads where it is called.
    ['{{#*inline "p"}}{{inner}}{{a}}{{/inline}}{{> p a=b}}', ['b', 'inner']],
    ['{{#*inline "p"}}{{name}}{{/inline}}{{#each people}}{{> p}}{{/each}}', ['people', 'people[].name']],
    ['{{#*inline "p"}}{{name}}{{/inline}}{{> p boss}}', ['boss', 'boss.name']],
    ['{{#*inline "p"}}{{name}}{{#if more}}{{> p more}}{{/if}}{{/inline}}{{> p}}', ['more', 'name']],
    ['{{#*inline "p"}}{{name}}{{/inline}}', []],
  ])('of %s', async (source, expected) => {
    const { variables } = await compileHtmlSource(source)
    expect([...new Set(variables.map(({ name }) => name))]).toEqual(expected)
  })

  test('say on which lines of which source they are read, and inside which block', async () => {
    const source = [
      '<p>{{first_name}}',
      '{{#if attributes.plan}}',
      '{{first_name}} {{first_name}}',
      '{{else if (eq locale "de")}}',
      '{{first_name}}',
      '{{else}}{{email}}{{/if}}',
      '{{first_name}}',
      '{{#each attributes.items}}{{this.sku}}{{/each}}</p>',
    ].join('\n')
    const { variables } = await compileHtmlSource(source, 'Hi\n{{first_name}}')
    const entry = (name: string, lines: number[], inside: string | null, field = 'source') => ({
      name,
      field,
      lines,
      inside,
    })
    expect(variables).toEqual([
      entry('attributes.items', [8], null),
      entry('attributes.items[].sku', [8], '#each attributes.items'),
      entry('attributes.plan', [2], null),
      entry('email', [6], 'else of else if (eq locale "de")'),
      entry('first_name', [1, 7], null),
      entry('first_name', [3], '#if attributes.plan'),
      entry('first_name', [5], 'else if (eq locale "de")'),
      entry('first_name', [2], null, 'text_source'),
      entry('locale', [4], 'else of #if attributes.plan'),
    ])
  })

  test('are counted however many there are', async () => {
    const { variables } = await compileHtmlSource('{{a}}\n'.repeat(5000))
    expect(variables).toMatchObject([{ name: 'a', lines: Array.from({ length: 100 }, (_, n) => n + 1) }])
  })
})
