import type { Mail } from '../../src/providers/provider.ts'

/** A mail that every server takes; a test names only what it is about. */
export function mail(changes: Partial<Mail> = {}): Mail {
  return {
    campaign_id: 7,
    subscriber_id: 42,
    from: { email: 'news@sender.example', name: 'The News' },
    to: { email: 'reader@example.com', name: null },
    reply_to: null,
    subject: 'Hello',
    html: '<p>Hello</p>',
    text: 'Hello',
    message_id: 'c7.s42@sender.example',
    date: new Date('2026-11-24T08:00:00Z'),
    headers: [],
    envelope_from: 'bounces@sender.example',
    ...changes,
  }
}
