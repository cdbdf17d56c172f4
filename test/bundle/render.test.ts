// The Vitest pool allows generated code where production refuses it: only the deployed bundle, run by workerd as it is,
// shows that templates are compiled and rendered without any.

import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Handlebars from 'handlebars'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WRANGLER } from '../../local/wrangler.ts'
import { ROWS, spaced } from '../unit/render/documented.ts'
import { CASES } from '../unit/render/handlebars_cases.ts'
import { type Engine, run } from '../unit/render/handlebars_run.ts'

const folder = mkdtempSync(join(tmpdir(), 'render-bundle-'))
let worker: Miniflare

/** Bundles as a deployment does. */
async function bundle(config: string, ...entry: string[]): Promise<void> {
  const args = [WRANGLER, 'deploy', ...entry, '--dry-run', '-c', config, '--outdir', folder]
  await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false' },
  })
}

beforeAll(async () => {
  await bundle('wrangler.toml', 'test/bundle/render-worker.ts')
  worker = new Miniflare(
    convertV4MiniflareOptions({
      modules: [{ type: 'ESModule', path: join(folder, 'render-worker.js') }],
      modulesRoot: folder,
      compatibilityDate: '2026-10-01',
      compatibilityFlags: ['nodejs_compat'],
    }),
  )
  await worker.ready
})

afterAll(async () => {
  await worker?.dispose()
  rmSync(folder, { recursive: true })
})

async function post(job: object, path = '/'): Promise<unknown> {
  const response = await worker.dispatchFetch(`http://worker.test${path}`, {
    method: 'POST',
    body: JSON.stringify(job),
  })
  return response.json()
}

const tracking = { pixel: 'https://t.example/t/o/x.gif', click: 'tok' }

describe('in workerd, as deployed', () => {
  test('generated code is refused, so what follows was rendered without it', async () => {
    const response = await worker.dispatchFetch('http://worker.test/eval')
    expect(await response.json()).toEqual({ upstream: 'EvalError' })
  })

  test('the example newsletter is compiled and rendered, twice', async () => {
    const source = readFileSync('examples/templates/newsletter.mjml', 'utf8')
    const data = {
      email: 'ada@x.example',
      first_name: 'Ada <b>',
      attributes: { city: 'Köln', plan: 'pro', interests: ['sailing', 'knots'] },
      unsubscribe_url: 'https://t.example/u/1',
      sender: { from_name: 'Harbour', postal_address: 'Kai 1, 20457 Hamburg' },
      campaign: { name: 'June' },
      list: { name: 'Readers' },
    }
    for (let i = 0; i < 2; i++) {
      const job = {
        template: { format: 'mjml', source, text_source: null },
        subject: '{{upper first_name}}\n!',
        data,
        tracking,
      }
      const answer = (await post(job)) as { warnings: object[]; mail: { subject: string; html: string; text: string } }
      expect(answer.warnings).toEqual([])
      expect(answer.mail.subject).toBe('ADA <B> !')
      expect(answer.mail.html).toContain('Hello Ada &lt;b&gt;,')
      expect(answer.mail.html).toContain('<img src="https://t.example/t/o/x.gif"')
      expect(answer.mail.text).toContain('More about sailing in the archive')
    }
  })

  test('inline partials, block parameters and named arguments', async () => {
    const source =
      '{{#*inline "p"}}[{{x}}]{{/inline}}{{#each list as |v i|}}{{> p x=v}}{{i}}{{/each}}{{#if (eq a "b")}}B{{/if}}'
    const job = {
      template: { format: 'html', source, text_source: 'T' },
      subject: '',
      data: { list: ['q', 'r'], a: 'b' },
    }
    expect(await post({ ...job, tracking: { pixel: '', click: '' } })).toMatchObject({
      mail: { html: '[q]0[r]1B', text: 'T' },
    })
  })

  test.each(Object.entries(CASES))(
    'Handlebars’ documented behaviour as upstream has it in Node: %s',
    async (name, cases) => {
      const response = await worker.dispatchFetch('http://worker.test/cases')
      const outcomes = (await response.json()) as Record<string, object[]>
      cases.forEach((entry, n) => {
        const expected = run(Handlebars.create() as unknown as Engine, entry)
        const actual = outcomes[name]?.[n]
        if (entry.throws) expect(actual, entry.template).toHaveProperty('error')
        else expect(actual, entry.template).toEqual(expected)
      })
    },
  )

  test('every example of docs/templates.md, with languages and time zones of all the world', async () => {
    const jobs = ROWS.map(([html, data]) => ({
      content: { subject: '', preheader: '', html, text: '' },
      data: JSON.parse(data),
    }))
    const outputs = (await post(jobs, '/render')) as string[]
    expect(outputs.map(spaced)).toEqual(ROWS.map(([, , output]) => output))
  })

  test('partials given with the content, also by an expression', async () => {
    const content = { subject: '', preheader: '', text: '', html: '{{#> box}}{{> (lookup . "which")}}{{/box}}' }
    const partials = { box: '[{{> @partial-block}}]', gold: 'gold {{n}}', silver: 'silver' }
    const job = (which: string) => ({ content: { ...content, partials }, data: { which, n: '<' } })
    expect(await post([job('gold'), job('silver')], '/render')).toEqual(['[gold &lt;]', '[silver]'])
  })

  test('a template that MJML refuses is refused with its line', async () => {
    const source = '<mjml>\n<mj-body>{{#if a}}<mj-section></mj-section>{{/if}}</mj-body></mjml>'
    const job = { template: { format: 'mjml', source, text_source: null }, subject: '', data: {}, tracking }
    expect(await post(job)).toMatchObject({ problems: [{ line: 2 }, { line: 2 }] })
  })
})

test('emk-sender holds neither MJML nor anything that generates code', async () => {
  await bundle('wrangler.sender.toml')
  const sender = readFileSync(join(folder, 'sender.js'), 'utf8')
  expect(sender).toContain('blockHelperMissing')
  for (const foreign of ['mj-section', 'createFunctionContext', 'new Function(', 'html-to-text']) {
    expect(sender.includes(foreign), foreign).toBe(false)
  }
})
