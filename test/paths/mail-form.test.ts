// A mail as it arrives, from the API through the Workers as they are deployed to a mail server: signed, with its return path
// and every way to leave, and a test mail that is made the same way.
import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import { readMailTokenAddress, verifyMailToken } from '../../src/tokens/mail-token.ts'
import { dkimZone, keyPair, verdicts } from '../support/dkim.ts'
import { type Installation, openInstallation, until } from '../support/installation.ts'

const pairs = [keyPair('acme.example', 's1'), keyPair('news.acme.example', 's2'), keyPair('relay.example', 's1', 1024)]
const zone = dkimZone(pairs)

let i: Installation
const arrived = new Map<string, { source: string; envelope_from: string }>()
beforeAll(async () => {
  i = await openInstallation(
    { MAIL_DOMAIN: 'in.acme.example' },
    { dkim: pairs.map(({ key }) => key), bounce_domain: 'bounces.acme.example' },
  )
  i.sink.onMail = (_, to, source, envelope_from) => {
    arrived.set(to, { source, envelope_from })
    return undefined
  }
}, 180_000)
afterAll(() => i?.close())

/** Long lines, blanks before line ends, dots and letters of every kind. */
const SOURCE = `<p>Příliš {{first_name}} 🐎 ${'x'.repeat(2_000)} \t </p>
.
..<b>dots</b>   and\t\tblanks
From here
<a href="https://acme.example/a">read</a>
<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a></p>


`

/** Who is named by an address that a mail gave us. */
async function namedBy(address: string) {
  const { purpose, token } = readMailTokenAddress(address) ?? { purpose: 'bounce' as const, token: '' }
  const recipient = await verifyMailToken(await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS), purpose, token)
  return { purpose, campaign_id: recipient?.campaign_id, subscriber_id: recipient?.subscriber_id }
}

test('a campaign’s mail and its test mail verify elsewhere, and say where bounces and unsubscribes go', async () => {
  const list = await i.api.post<{ id: number }>('/lists', { name: 'Novinky, "týdně"' })
  const { id: subscriber_id } = await i.api.post<{ id: number }>('/subscribers', {
    email: 'reader@example.com',
    first_name: 'Žofie',
    list_ids: [list.id],
    consented_at: '2026-01-01T00:00:00Z',
    consent_source: 'test',
  })
  const sender = await i.api.post<{ id: number }>('/senders', {
    name: 'Acme',
    from_name: 'Acme, s.r.o.',
    from_email: 'ada@news.acme.example',
    reply_to: 'answers@acme.example',
    postal_address: 'Acme, 1 Main Street',
  })
  const template = await i.api.post<{ id: number }>('/templates', { name: 'T', format: 'html', source: SOURCE })
  const campaign = await i.api.post<{ id: number }>('/campaigns', {
    name: 'C',
    subject: 'Ahoj {{first_name}}, dlouhý předmět, který se na jeden řádek nevejde, a proto se zalomí',
    template_id: template.id,
    sender_id: sender.id,
    audience: { include: [list.id] },
  })
  await i.api.post(`/campaigns/${campaign.id}/test`, { recipients: ['boss@acme.example'] })
  await i.api.post(`/campaigns/${campaign.id}/send`, undefined)
  await until(
    () => arrived.size,
    (count) => count === 2,
  )
  for (const [to, named] of [
    ['reader@example.com', subscriber_id],
    ['boss@acme.example', Number.MAX_SAFE_INTEGER],
  ] as const) {
    const { source = '', envelope_from = '' } = arrived.get(to) ?? {}
    expect(await verdicts(source, zone), to).toEqual(['pass acme.example s1', 'pass news.acme.example s2'])
    expect(await verdicts(source.replace('Main Street', 'Main  Avenue'), zone)).not.toContain('pass acme.example s1')
    expect(envelope_from).toMatch(/@bounces\.acme\.example$/)
    const ids = { campaign_id: campaign.id, subscriber_id: named }
    expect(await namedBy(envelope_from)).toEqual({ purpose: 'bounce', ...ids })
    const mail = await simpleParser(Buffer.from(source, 'latin1'))
    const head = source.slice(0, source.indexOf('\r\n\r\n')).replace(/\r\n[ \t]/g, ' ')
    expect(head).toMatch(new RegExp(`^List-Id: [^<>]*<list-${list.id}\\.news\\.acme\\.example>$`, 'm'))
    const [, mailto = ''] = /^List-Unsubscribe: <http[^>]+>, <mailto:(.*)\?subject=unsubscribe>$/m.exec(head) ?? []
    expect(await namedBy(mailto)).toEqual({ purpose: 'unsubscribe-mail', ...ids })
    expect(mail.headers.has('auto-submitted')).toBe(false)
    expect(mail.from?.value).toEqual([{ address: 'ada@news.acme.example', name: 'Acme, s.r.o.' }])
  }
})
