import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseSendGridKeys } from '../../../src/feedback/sendgrid-signature.ts'
import { isCertificateUrl } from '../../../src/feedback/sns-certificate.ts'
import { parseSnsTopics } from '../../../src/feedback/sns-topics.ts'

test('topics, each with the host of its region', () => {
  const text =
    ' arn:aws:sns:eu-west-1:123456789012:ses-events ,arn:aws-cn:sns:cn-north-1:123456789012:x,arn:aws-us-gov:sns:us-gov-west-1:123456789012:y_1'
  expect([...parseSnsTopics(text).values()]).toEqual([
    'sns.eu-west-1.amazonaws.com',
    'sns.cn-north-1.amazonaws.com.cn',
    'sns.us-gov-west-1.amazonaws.com',
  ])
  expect(parseSnsTopics('').size).toBe(0)
  expect(parseSnsTopics(' , ').size).toBe(0)
})

test.each([
  'ses-events',
  'arn:aws:sqs:eu-west-1:123456789012:x',
  'arn:aws:sns:eu-west-1:123:x',
  'arn:aws:sns:eu-west-1:123456789012:',
  'arn:aws:sns:s3-eu-west-1:123456789012:x',
  'arn:aws:sns:evil.example/:123456789012:x',
  'arn:aws:sns:eu-west-1:123456789012:x:0a1b-subscription',
  'arn:evil:sns:eu-west-1:123456789012:x',
])('%s is no topic', (entry) => {
  expect(() => parseSnsTopics(`arn:aws:sns:eu-west-1:123456789012:x,${entry}`)).toThrow('SNS_TOPICS, entry 2: is not')
})

const key = (curve: string) =>
  generateKeyPairSync('ec', { namedCurve: curve }).publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

test('keys of SendGrid', () => {
  expect(parseSendGridKeys('')).toEqual([])
  expect(parseSendGridKeys(`${key('P-256')}, ${key('P-256')},`)).toHaveLength(2)
  expect(() => parseSendGridKeys(Array(6).fill(key('P-256')).join())).toThrow('at most 5')
})

test.each([
  ['text', 'hello'],
  ['a key cut short', key('P-256').slice(0, 120)],
  ['a key of another curve', key('P-384')],
  ['base64 of nothing', 'A'.repeat(124)],
])('%s is no key of SendGrid, and is not repeated', (_, entry) => {
  expect(() => parseSendGridKeys(`${key('P-256')},${entry}`)).toThrow(
    'SENDGRID_WEBHOOK_KEYS, entry 2: is not a verification key as SendGrid shows it',
  )
})

test('certificates of SNS, under their present name and the first', () => {
  const host = 'sns.eu-west-1.amazonaws.com'
  for (const name of ['SimpleNotificationService-0123456789abcdef0123456789abcdef', 'SimpleNotificationService']) {
    expect(isCertificateUrl(`https://${host}/${name}.pem`, host)).toBe(true)
    expect(isCertificateUrl(`https://${host}/${name}.pem`, 'sns.eu-west-2.amazonaws.com')).toBe(false)
  }
})
