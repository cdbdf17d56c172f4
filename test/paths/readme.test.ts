// The README is the product's face: what it says is run, not believed.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Installation, openInstallation, until } from '../support/installation.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const run = promisify(execFile)

/** The text between one heading and the next. */
function section(heading: string): string {
  const [, text = ''] = README.split(`## ${heading}\n`)
  return text.split('\n## ')[0] ?? ''
}

/** Shell blocks of a section, in order. */
const blocks = (heading: string) => [...section(heading).matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code = '']) => code)

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
})
