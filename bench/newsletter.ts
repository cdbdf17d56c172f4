// A newsletter of the size that newsletters have: 65 KB of HTML, 31 tags, 30 tracked links, and the people who get it.
import { type Snapshot, takeSnapshot } from '../src/campaigns/snapshot.ts'
import type { ClaimedRow } from '../src/ledger/claim.ts'
import { findTags } from '../src/render/tags.ts'
import { compileTemplate } from '../src/templates/compile.ts'
import type { SigningKeys } from '../src/tokens/keys.ts'

const TAGS = 31
const LINKS = 30
const BYTES = 65_000
const SUBJECT = '{{first_name}}, the boats are back in the water'

/** @throws when it has not the size it should have */
export async function newsletter(keys: SigningKeys): Promise<Snapshot> {
  const source = html()
  const compiled = await compileTemplate({ format: 'html', source, text_source: null })
  const tags = findTags(source).length
  const bytes = Buffer.byteLength(compiled.html)
  if (tags !== TAGS || compiled.links.length !== LINKS || Math.abs(bytes - BYTES) > BYTES / 50) {
    throw new Error(`the newsletter has ${tags} tags, ${compiled.links.length} links and ${bytes} bytes`)
  }
  const content: Parameters<typeof takeSnapshot>[0] = {
    template_id: 1,
    template_version: 1,
    subject: SUBJECT,
    preheader: '',
    sender: {
      from_name: 'The Harbour Letter',
      from_email: 'letter@harbour.example',
      reply_to: 'hello@harbour.example',
      postal_address: 'Harbour Workshop, 12 Quay Street, Bristol BS1 4DJ, United Kingdom',
      account: null,
    },
    tracking_url: 'https://news.harbour.example',
    public_url: 'https://news.harbour.example',
    utm: null,
    track_opens: 'individual',
    track_clicks: 'individual',
    list: { id: 1, name: 'Readers of the Harbour Letter' },
    campaign: { id: 1, name: 'June' },
  }
  return takeSnapshot(content, compiled, keys)
}

export function recipients(count: number): ClaimedRow[] {
  const names = ['Ada', 'Grace', 'José', "D'Arcy", 'Margaret', 'Wei', 'Zoë', 'Edsger']
  const cities = ['Bristol', 'Köln', '', 'Hamburg', 'Porto']
  return Array.from({ length: count }, (_, n) => ({
    subscriber_id: n + 1,
    attempts: 0,
    skip: null,
    known_optout_at: 0,
    email: `reader${n}@mail.example`,
    first_name: names[n % names.length] ?? '',
    last_name: 'Reader & Co',
    timezone: 'Europe/London',
    locale: 'en-GB',
    attributes: {
      city: cities[n % cities.length],
      plan: 'Crew',
      since: `${2010 + (n % 15)}`,
      points: n * 7,
      coupon: `BOAT-${n}`,
      topics: ['oak', 'knots', 'sails'].map((name) => ({ name, price: `${n % 90}.50`, place: `Shed ${n % 7}` })),
    },
  }))
}

const cell = 'font-family:Georgia,Times,serif;font-size:16px;line-height:1.6;text-align:left;color:#2b2f36;'
const table =
  '<table align="center" border="0" cellpadding="0" cellspacing="0" role="presentation" style="background:#ffffff;width:100%;">'

function html(): string {
  return `<!doctype html><html lang="en"><head><title>The Harbour Letter</title><meta charset="utf-8"><style>${'.column{width:100%;max-width:50%}@media (max-width:480px){.column{max-width:100%}}'.repeat(20)}</style></head><body style="word-spacing:normal;background-color:#eef1ef;">
${row('<h1>{{campaign.name}}</h1><p>Sent to {{list.name}}</p>')}
${row('<p>Hello {{first_name}} {{last_name}},</p><p>the boats are back{{#if attributes.city}} near {{attributes.city}}{{else}} at the quay{{/if}}. You have sailed with us since {{attributes.since}}, plan {{attributes.plan}}.</p>')}
${Array.from({ length: 10 }, (_, n) => article(n)).join('\n')}
${row('<table>{{#each attributes.topics}}<tr><td>{{@index}}</td><td>{{name}}</td><td>{{price}}</td><td>{{place}}</td></tr>{{/each}}</table>')}
${row('<p>{{attributes.points}} points, code {{attributes.coupon}}, {{attributes.plan}} of {{attributes.since}}</p><p>{{first_name}}, see you. {{sender.from_name}} ({{sender.from_email}})</p>')}
${row('<p>{{sender.from_name}}, {{sender.postal_address}}. Sent to {{email}} for {{list.name}}, {{campaign.name}}, {{locale}}, {{timezone}}. <a href="{{{unsubscribe_url}}}">Unsubscribe</a></p>')}
</body></html>`
}

function article(n: number): string {
  const address = `https://harbour.example/articles/oak-and-salt-${n}`
  const text = 'How a hull built in 1984 was opened plank by plank, and what the old shipwrights knew about glue. '
  return row(`<a href="${address}?at=image" style="text-decoration:none;"><img alt="A boat" src="https://images.harbour.example/${n}.jpg" width="600" style="border:0;display:block;outline:none;width:100%;"></a>
<h2><a href="${address}?at=heading" style="color:#0f5c5c;">Oak, salt and winter ${n}</a></h2><p>${text.repeat(6)}</p>
<p style="${cell}">${table}<tr><td style="border-radius:6px;background:#0f5c5c;padding:14px 28px;"><a href="${address}?at=button" style="display:inline-block;color:#ffffff;${cell}">Read the story</a></td></tr></table></p>
${Array.from({ length: 6 }, () => row(text)).join('\n')}`)
}

function row(inside: string): string {
  return `<!--[if mso | IE]>${table}<tr><td style="line-height:0px;"><![endif]--><div style="margin:0px auto;max-width:640px;">${table}<tr><td class="column" style="${cell}padding:0 32px 16px;">${inside}</td></tr></table></div><!--[if mso | IE]></td></tr></table><![endif]-->`
}
