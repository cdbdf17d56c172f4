// `npm run keys -- dkim`: what it prints, used as it says.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { explainDkimKey, newDkimKey } from '../../../scripts/keys/dkim.ts'
import { dkimSigners, signMessage } from '../../../src/mime/dkim.ts'
import { buildMessage } from '../../../src/mime/message.ts'
import { parseAccounts } from '../../../src/providers/accounts.ts'
import { dkimZone, verdicts } from '../../support/dkim.ts'
import { mail } from '../../support/mail.ts'

/** Signs by the printed fragment, looks up what the printed zone line says. */
async function verdictOf(printed: string): Promise<string[]> {
  const line = (start: string) => printed.split('\n').find((text) => text.startsWith(start)) ?? ''
  const [account] = parseAccounts(
    `[{"name":"main","kind":"smtp","host":"smtp.example.com","port":587,${line('"dkim"')}}]`,
  )
  const keys = account?.kind === 'smtp' ? (account.dkim ?? []) : []
  const record = line(`${keys[0]?.selector}._domainkey.${keys[0]?.domain}. `)
  const strings = [...record.matchAll(/"([^"]*)"/g)].map(([, string = '']) => string)
  for (const string of strings) expect(string.length).toBeLessThanOrEqual(255)
  expect(printed).toContain(`\n${strings.join('')}\n`)
  const name = record.slice(0, record.indexOf('. '))
  expect(printed).toContain(`\nname\n${name}\n`)
  const { bytes, from_domain } = buildMessage(mail({ from: { email: `a@${keys[0]?.domain}`, name: null } }))
  const signed = Buffer.from(signMessage(bytes, from_domain, dkimSigners(keys), new Date())).toString('latin1')
  return verdicts(signed, dkimZone([{ name, record: strings.join('') }]))
}

test('prints a key and a record that fit each other', async () => {
  const args = ['scripts/keys.ts', 'dkim', '--domain', 'Bücher.example', '--selector', 'autumn-26']
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args)
  expect(stderr).toBe('')
  expect(await verdictOf(stdout)).toEqual(['pass xn--bcher-kva.example autumn-26'])
})

test('makes keys that verify, of each size but the slowest', async () => {
  for (const bits of [1024, 2048]) {
    const key = await newDkimKey({ domain: 'example.com', selector: 's1', bits })
    expect(await verdictOf(explainDkimKey(key))).toEqual(['pass example.com s1'])
  }
})

describe('says what is wrong with', () => {
  test.each([
    ['no domain', ['dkim'], 'npm run keys -- dkim --domain DOMAIN'],
    ['a domain that is none', ['dkim', '--domain', 'localhost'], '--domain has no dot'],
    ['a selector that is none', ['dkim', '--domain', 'a.example', '--selector', 'a b'], '--selector is letters'],
    ['a short key', ['dkim', '--domain', 'a.example', '--bits', '512'], '--bits is 1024'],
  ])('%s', async (_, args, message) => {
    const run = promisify(execFile)(process.execPath, ['scripts/keys.ts', ...args])
    await expect(run).rejects.toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(message) })
  })
})
