import { describe, expect, test } from 'vitest'
import { templateData } from '../../../src/render/data.ts'
import { MAX_DEPTH, MAX_LENGTH, MAX_STEPS } from '../../../src/render/handlebars/budget.ts'
import { SIGNATURES } from '../../../src/render/helpers.ts'
import { prepareContent } from '../../../src/render/render.ts'
import { compileTemplate } from '../../../src/templates/compile.ts'
import { PAGE, ROWS, spaced } from './documented.ts'

describe('docs/templates.md', () => {
  test.each(ROWS)('%s with %s', async (source, data, output) => {
    const content = { subject: '', preheader: '', html: source, text: '' }
    const { html } = prepareContent(content).render(JSON.parse(data), { pixel: '', click: '' })
    expect(spaced(html)).toBe(output)
    const { warnings } = await compileTemplate({ format: 'html', source: `<p>${source}</p>`, text_source: null })
    expect(warnings.map(({ code }) => code)).toEqual(
      source.startsWith('{{{') && !source.includes('json') && !source.startsWith('{{{{') ? ['unescaped_variable'] : [],
    )
  })

  test('every table of examples is read, and every helper has one', () => {
    const tables = PAGE.match(/^\| Template \| Data \| Output \|$/gm) ?? []
    const example_lines = PAGE.split('\n').filter((line) => /^\| `.*\| `.*\| `/.test(line))
    expect(tables).toHaveLength(5)
    expect(ROWS).toHaveLength(example_lines.length)
    for (const name of SIGNATURES.keys()) {
      const called = new RegExp(`(?:\\{\\{#?\\{?|\\()${name}[ }]`)
      expect(
        ROWS.filter(([template]) => called.test(template)),
        name,
      ).not.toHaveLength(0)
    }
  })

  test('every variable there is has a line, and no other', () => {
    const person = { email: '', first_name: '', last_name: '', attributes: {}, timezone: '', locale: '' }
    const sender = { from_name: '', from_email: '', reply_to: '', postal_address: '', account: null }
    const own = { unsubscribe_url: '', web_view_url: '', preferences_url: '' }
    const data = templateData(person, { sender, campaign: { id: 0, name: '' }, list: { id: 0, name: '' } }, own)
    const paths = Object.entries(data).flatMap(([name, value]) =>
      value !== null && typeof value === 'object' && name !== 'attributes'
        ? Object.keys(value).map((key) => `${name}.${key}`)
        : [name],
    )
    const section = /## Variables\n([\s\S]*?)\n## /.exec(PAGE)?.[1] ?? ''
    const first_cells = section.split('\n').map((line) => line.split('|')[1] ?? '')
    const documented = first_cells.flatMap((cell) =>
      Array.from(cell.matchAll(/\{\{([a-z_.]+)\}\}/g), ([, path]) => path),
    )
    expect(documented.map((path) => path?.replace(/^attributes\..*/, 'attributes')).sort()).toEqual(paths.sort())
  })

  test('the bounds are the ones that hold', () => {
    for (const bound of [MAX_STEPS, MAX_LENGTH]) expect(PAGE).toContain(`${bound.toLocaleString('en')} `)
    expect(PAGE).toContain(`${MAX_DEPTH} with partials`)
  })
})
