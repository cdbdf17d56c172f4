import { expect, test } from 'vitest'
import { judgeBounce } from '../../../src/feedback/bounce.ts'

test.each([
  // About whom it is from, or what it is made of.
  ['550 5.1.8 Sender address rejected: Domain not found', '5.1.8', 'blocked'],
  ['554 5.6.0 Message content rejected', '5.6.0', 'blocked'],
  // In the words that servers have for recipients, but of the sender: no subscriber is dead for that.
  [
    'smtp; 550-Verification failed for <news@example.com> 550-Unrouteable address 550 Sender verify failed',
    '5.0.0',
    'blocked',
  ],
  ['550-Called: 192.0.2.1 550-Response: 550 no such user 550 Sender verify failed', null, 'blocked'],
  ['550 Sender address rejected: Domain not found', null, 'blocked'],
  ['550 unknown sender address', null, 'blocked'],
  ['550 Your IP address is not listed', null, 'blocked'],
  // The address does not exist.
  ['smtp; 550 5.1.1 user unknown', '5.1.1', 'hard_bounce'],
  [
    'smtp;550-5.1.1 The email account that you tried to reach does not exist. 550 5.1.1 Please try',
    null,
    'hard_bounce',
  ],
  ['550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup', null, 'hard_bounce'],
  ['550 no such user here', null, 'hard_bounce'],
  ['550 <x@example.com>: unknown recipient address, returned to sender', null, 'hard_bounce'],
  ['smtp; 550 Requested action not taken: mailbox unavailable', '5.1.1', 'hard_bounce'],
  [null, '5.1.2', 'hard_bounce'],
  ['host not found', '5.1.2', 'hard_bounce'],
  // For who sends, or what is sent.
  [
    '550 5.7.515 Access denied, sending domain example.com does not meet the required authentication level.',
    '5.7.515',
    'blocked',
  ],
  ['554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using Spamhaus', null, 'blocked'],
  ['550 Message rejected as spam by Content Filtering', null, 'blocked'],
  ['550 5.7.26 This mail has been blocked because the sender is unauthenticated.', '5.0.0', 'blocked'],
  ['smtp; 554 Denied by policy', '5.1.1', 'blocked'],
  ['421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume', null, 'blocked'],
  ['421 too many messages', null, 'blocked'],
  [null, '5.7.1', 'blocked'],
  // Not now.
  ['452 4.2.2 The email account that you tried to reach is over quota', null, 'soft_bounce'],
  ['552 5.2.2 mailbox full', '5.2.2', 'soft_bounce'],
  ['552 5.3.4 Message size exceeds fixed limit', null, 'soft_bounce'],
  ['smtp; 421 4.4.1 Unable to connect to remote host', '4.4.1', 'soft_bounce'],
  ['450 greylisted, try again later', null, 'soft_bounce'],
  [null, '4.4.7', 'soft_bounce'],
  // Nothing that says why.
  ['550 Requested action not taken: mailbox unavailable', null, null],
  ['554 5.0.0 Service unavailable', '5.0.0', null],
  ['Amazon SES did not send the message to this address.', null, null],
  ['250 2.0.0 OK', '2.0.0', null],
  ['', '', null],
  [null, null, null],
])('%j with status %j is %j', (diagnostic, status, kind) => {
  expect(judgeBounce(diagnostic, status)).toBe(kind)
})

test('words of any length are judged by their beginning', () => {
  expect(judgeBounce(`550 5.1.1 ${'no such user '.repeat(100_000)}`, null)).toBe('hard_bounce')
  expect(judgeBounce('5'.repeat(1_000_000), null)).toBe(null)
  expect(judgeBounce('550-'.repeat(500_000), '5.1.1')).toBe('hard_bounce')
})
