import { describe, expect, test } from 'vitest'
import { MAX_DEPTH, TemplateTooLarge } from '../../../src/render/handlebars/budget.ts'
import { createEnvironment } from '../../../src/render/handlebars/environment.ts'

describe('a template that would not end', () => {
  test('partials that call themselves end with an error, and the next render is as good as the first', () => {
    const environment = createEnvironment()
    environment.registerPartial('self', '{{#if loop}}{{> self}}{{else}}end{{/if}}')
    const template = environment.compile('{{> self}}')
    for (let i = 0; i < 3; i++) {
      expect(() => template({ loop: true })).toThrow(TemplateTooLarge)
      expect(template({ loop: false })).toBe('end')
    }
  })

  test('inline partials that call themselves end with an error', () => {
    const template = createEnvironment().compile('{{#*inline "i"}}{{> i}}{{/inline}}{{> i}}')
    expect(() => template({})).toThrow(`more than ${MAX_DEPTH} deep`)
  })

  test('loops in loops over the same list end with an error', () => {
    const list = Array.from({ length: 100 }, () => 1)
    const each = (body: string) => `{{#each @root.list}}${body}{{/each}}`
    expect(() => createEnvironment().compile(each(each(each('x'))))({ list })).toThrow('steps')
    expect(createEnvironment().compile(each('x'))({ list })).toHaveLength(100)
  })

  test('output that doubles and doubles ends with an error', () => {
    const long = 'x'.repeat(300_000)
    const template = createEnvironment().compile('{{#each list}}{{../long}}{{/each}}')
    expect(() => template({ list: Array.from({ length: 20 }, () => 1), long })).toThrow('longer than')
  })

  test('a loop over something long ends with an error long before its output is too long for a string', () => {
    let passes = 0
    const environment = createEnvironment()
    environment.registerHelper('seen', () => {
      passes++
      return ''
    })
    const data = { list: Array.from({ length: 5_000 }, () => 1), long: 'x'.repeat(1_000_000) }
    const loop = environment.compile('{{#each list}}{{seen}}{{../long}}{{/each}}')
    const row = environment.compile('{{seen}}{{long}}'.repeat(5_000))
    for (let round = 0; round < 2; round++) {
      expect(() => loop(data)).toThrow('steps')
      expect(() => row(data)).toThrow('longer than')
      expect(loop({ list: [1, 2], long: 'ab' })).toBe('abab')
    }
    expect(passes).toBeLessThan(100)
  })
})

describe('an environment', () => {
  test('shares no helper and no partial with another', () => {
    const one = createEnvironment()
    one.registerHelper('mine', () => 'mine')
    one.registerPartial('part', 'part')
    expect(one.compile('{{mine}}{{> part}}')({})).toBe('minepart')
    expect(createEnvironment().compile('{{mine}}')({})).toBe('')
    expect(() => createEnvironment().compile('{{> part}}')({})).toThrow('could not be found')
  })

  test('has no log helper: a value of that name is a value', () => {
    expect(createEnvironment().compile('{{log}}')({ log: 'kept' })).toBe('kept')
    expect(() => createEnvironment().compile('{{log "x"}}')({})).toThrow('Missing helper: "log"')
  })

  test('refuses decorators other than inline, registered or not', () => {
    expect(() => createEnvironment().compile('{{* other}}')({})).toThrow('Decorator "other" is not allowed')
  })

  test('compiles strings only: a tree could be made of data', () => {
    const tree = createEnvironment().parse('{{a}}') as unknown as string
    expect(() => createEnvironment().compile(tree)).toThrow('must be a string')
  })
})
