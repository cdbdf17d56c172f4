import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { invalidField, PROBLEMS, Problem, problemResponse } from '../../../src/http/problem.ts'

test('docs/api.md tells of every code what to do, with its status, and of no other', () => {
  const guide = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8')
  const told = [...guide.matchAll(/^\| `(\w+)` \| (\d{3}) \| /gm)].map(([, code, status]) => [code, Number(status)])
  expect(told).toEqual(Object.entries(PROBLEMS).map(([code, [status]]) => [code, status]))
})

test('a problem becomes a document of its own media type', async () => {
  const response = problemResponse(invalidField('name', 'is in use'), 'id-1', 'https://mail.example.com')
  expect([response.status, response.headers.get('content-type')]).toEqual([422, 'application/problem+json'])
  expect(await response.json()).toEqual({
    type: 'https://mail.example.com/problems#validation_failed',
    title: 'The request is not valid',
    status: 422,
    detail: 'name is in use',
    code: 'validation_failed',
    request_id: 'id-1',
    errors: [{ field: 'name', detail: 'is in use' }],
  })
})

test('a problem may bring headers, but not another media type', () => {
  const problem = new Problem('method_not_allowed', 'no', { headers: { allow: 'GET', 'content-type': 'text/html' } })
  const { headers } = problemResponse(problem, 'id-1', '')
  expect([headers.get('allow'), headers.get('content-type')]).toEqual(['GET', 'application/problem+json'])
})
