// The README is the product's face: what it says is run, not believed.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Installation, openInstallation, until } from '../support/installation.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const run = promisify(execFile)

/** The text between one heading and the next. */
function section(heading: string, page = README): string {
  const [, text = ''] = page.split(`## ${heading}\n`)
  return text.split('\n## ')[0] ?? ''
}

/** Shell blocks of a section, in order. */
const blocks = (heading: string, page?: string) =>
  [...section(heading, page).matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code = '']) => code)

const plain = (text: string) => text.replace(/[`]/g, '').replace(/[’']/g, "'").replace(/\s+/g, ' ').trim()

test('every file that the README names is there', () => {
  const missing: string[] = []
  for (const [, , files = ''] of section('The path of a campaign').matchAll(/^\| \d [^|]*\|([^|]*)\|([^|]*)\|$/gm)) {
    let folder = ''
    for (const [, name = ''] of files.matchAll(/`([^`]+)`/g)) {
      const path = name.includes('/') ? name : `${folder}/${name}`
      folder = path.endsWith('/') ? path.slice(0, -1) : path.slice(0, path.lastIndexOf('/'))
      if (!existsSync(`${ROOT}/${path}`)) missing.push(path)
    }
  }
  for (const [, path = ''] of README.matchAll(/\]\((?!http)([^)#]+)\)/g))
    if (!existsSync(`${ROOT}/${path}`)) missing.push(path)
  expect(missing).toEqual([])
  expect(section('The path of a campaign')).toContain('src/campaigns/start.ts')
})

test('each sentence of the contract is the name of a test', () => {
  const tests = readFileSync(new URL('./contract.test.ts', import.meta.url), 'utf8')
  const names = [...tests.matchAll(/^test\('(.+?)', async/gm)].map(([, name = '']) => plain(name))
  const sentences = [...section('The delivery contract').matchAll(/^- ([\s\S]*?)(?=\n- |\n\n)/gm)].map(
    ([, text = '']) => plain(text),
  )
  expect(sentences).toHaveLength(6)
  for (const sentence of sentences) {
    expect(
      names.some((name) => sentence.startsWith(name.replace(/\.$/, ''))),
      sentence,
    ).toBe(true)
  }
})

describe('the API in five curl calls', () => {
  let i: Installation
  beforeAll(async () => {
    i = await openInstallation()
  }, 180_000)
  afterAll(() => i?.close())

  test('does what it says on a fresh installation', async () => {
    const [exports = '', ...steps] = blocks('The API in five curl calls')
    expect(exports).toMatch(/^export API=\S+\nexport KEY=\S+\n$/)
    expect(steps.filter((step) => step.startsWith('curl '))).toHaveLength(5)
    const env = { ...process.env, API: `${i.api_url}/api/v1`, KEY: i.api_key }
    const answers: string[] = []
    for (const step of steps) {
      const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', step], { cwd: ROOT, env, maxBuffer: 2 ** 24 })
      answers.push(stdout)
    }
    expect(answers[0]).toContain('1000')
    expect(answers.slice(1, 4).map((answer) => JSON.parse(answer).id)).toEqual([1, 1, 1])
    expect(JSON.parse(answers[4] ?? '')).toMatchObject({ id: 1, status: 'sending' })
    expect(JSON.parse(answers[5] ?? '')).toMatchObject({ campaign_id: 1 })
    await until(
      () => i.api.get<{ status: string }>('/campaigns/1'),
      ({ status }) => status === 'sent',
    )
    expect(i.sink.accepted).toHaveLength(980)
  })

  test('and so do those of the gallery, on files that a template may be made of', async () => {
    const gallery = readFileSync(new URL('../../docs/gallery.md', import.meta.url), 'utf8')
    for (const [, path = ''] of gallery.matchAll(/\]\(\.\.\/([^)]+)\)/g))
      expect(existsSync(`${ROOT}/${path}`), path).toBe(true)
    const folder = mkdtempSync(join(tmpdir(), 'emk-gallery-'))
    const env = {
      ...process.env,
      API: `${i.api_url}/api/v1`,
      KEY: i.api_key,
      EMK_API_URL: i.api_url,
      EMK_API_KEY: i.api_key,
    }
    const sh = async (step: string) => (await run('bash', ['-euo', 'pipefail', '-c', step], { cwd: ROOT, env })).stdout
    try {
      const [script = '', curl = ''] = blocks('Use one', gallery)
      const [preview = '', push = ''] = script.trim().split('\n')
      expect(await sh(preview.replace('welcome.html', `${folder}/welcome.html`))).toContain('"Welcome to Kiln, Ada"')
      expect(readFileSync(`${folder}/welcome.html`, 'utf8')).toContain('Welcome, Ada.')
      const { id = '' } = /template (?<id>\d+) "Welcome", version 1\n/.exec(await sh(push))?.groups ?? {}
      expect(JSON.parse(await sh(curl.replace('templates/1/', `templates/${id}/`)))).toMatchObject({
        subject: 'Welcome to Kiln, Ada',
        warnings: [],
      })

      // Unchanged it stays what it was, changed it is a new version, broken it is refused with its line.
      expect(await sh(push)).toContain(`template ${id} "Welcome", version 1\n`)
      const file = `${folder}/changed.mjml`
      const source = readFileSync(`${ROOT}/examples/templates/welcome.mjml`, 'utf8')
      writeFileSync(file, source.replace('Begin with', 'Start with'))
      expect(await sh(`npm run template -- push ${file} --name Welcome`)).toContain(
        `template ${id} "Welcome", version 2`,
      )
      writeFileSync(file, source.replace('</mj-button>', ''))
      await expect(sh(`npm run template -- push ${file} --name Welcome`)).rejects.toMatchObject({
        stderr: expect.stringMatching(/template: .*422 source, line \d+/),
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
