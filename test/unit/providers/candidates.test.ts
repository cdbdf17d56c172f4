import { describe, expect, test } from 'vitest'
import { candidateAccounts } from '../../../src/providers/candidates.ts'

const accounts = [
  { name: 'anything' },
  { name: 'first', from_domains: ['a.example', 'b.example'], pool: 'main' },
  { name: 'second', from_domains: ['a.example'], pool: 'main' },
  { name: 'third', from_domains: ['b.example'], pool: 'main' },
  { name: 'elsewhere', from_domains: ['a.example'], pool: 'other' },
  { name: 'alone', from_domains: ['a.example'] },
]
const names = (name: string | null, from_email: string, of = accounts) =>
  candidateAccounts(of, name, from_email).map((account) => account.name)

describe('the accounts that may carry a mail', () => {
  test('the one that is named, then those of its pool that may send from the domain, in their order', () => {
    expect(names('second', 'news@a.example')).toEqual(['second', 'first'])
    expect(names('first', 'news@b.example')).toEqual(['first', 'third'])
    expect(names('first', 'news@a.example')).toEqual(['first', 'second'])
  })

  test('no failover without a pool, even among accounts that may', () => {
    expect(names('alone', 'news@a.example')).toEqual(['alone'])
    expect(names('anything', 'news@a.example')).toEqual(['anything'])
    expect(names('elsewhere', 'news@a.example')).toEqual(['elsewhere'])
  })

  test('without a name, the first that may', () => {
    expect(names(null, 'news@c.example')).toEqual(['anything'])
    expect(names(null, 'news@a.example', accounts.slice(1))).toEqual(['first', 'second'])
    expect(names(null, 'news@b.example', accounts.slice(2))).toEqual(['third'])
  })

  test('none for a name that is unknown or may not, and none where nobody may: another is never taken instead', () => {
    expect(names('missing', 'news@a.example')).toEqual([])
    expect(names('third', 'news@a.example')).toEqual([])
    expect(names(null, 'news@c.example', accounts.slice(1))).toEqual([])
    expect(names(null, 'news@a.example', [])).toEqual([])
  })

  test('the domain is what follows the last @, in any case; a subdomain is another domain', () => {
    expect(names('alone', '"a@b"@A.Example')).toEqual(['alone'])
    expect(names('alone', 'news@sub.a.example')).toEqual([])
    expect(names('alone', 'news@nota.example')).toEqual([])
  })
})
