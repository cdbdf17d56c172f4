// One Worker that renders the same mails in every way that is compared: POST the job, then GET /way/count.
import Evalless from '@langtail/handlebars-evalless'
import { render as renderWorkersHbs } from 'workers-hbs'
import type { Snapshot } from '../../src/campaigns/snapshot.ts'
import type { ClaimedRow } from '../../src/ledger/claim.ts'
import { buildMessage } from '../../src/mime/message.ts'
import { templateData } from '../../src/render/data.ts'
import { language } from '../../src/render/language.ts'
import { prepareContent } from '../../src/render/render.ts'
import { composeMail } from '../../src/sending/compose.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'

export interface RenderJob {
  snapshot: Snapshot
  rows: ClaimedRow[]
}

interface Mail {
  subject: string
  html: string
  text: string
}

/** Renders the mail of one recipient, by number. */
type Way = (n: number) => Mail | Promise<Mail> | Uint8Array | Promise<Uint8Array>
type Prepared = (data: object, options: object) => string

const encoder = new TextEncoder()
const buffer = new Uint8Array(1_000_000)
let ways: Record<string, Way> = {}

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method === 'POST') {
      try {
        ways = await prepare(await request.json())
        return Response.json({ samples: await samples() })
      } catch (error) {
        return new Response(String(error), { status: 500 })
      }
    }
    const [, name = '', count = '0'] = new URL(request.url).pathname.split('/')
    const way = ways[name]
    if (!way) return new Response(null, { status: 404 })
    let bytes = 0
    for (let n = 0; n < Number(count); n++) {
      const made = way(n)
      const mail = made instanceof Promise ? await made : made
      if (mail instanceof Uint8Array) {
        bytes += mail.length
        continue
      }
      // A mail is bytes in the end: strings that are only notes of what to join do not count as done.
      bytes += encoder.encodeInto(mail.html, buffer).written
      bytes += encoder.encodeInto(mail.text, buffer).written
      bytes += encoder.encodeInto(mail.subject, buffer).written
    }
    return Response.json({ bytes })
  },
}

async function prepare({ snapshot, rows }: RenderJob): Promise<Record<string, Way>> {
  const keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
  const renderer = prepareContent(snapshot)
  const campaign = { id: snapshot.campaign.id, snapshot, renderer }
  const signing = { signing_keys: keys, link_hosts: () => false, mail_domain: '' }
  const date = new Date()
  const people = rows.map((row, n) => {
    const token = `AgEBA${String(n).padStart(4, '0')}aaaaaaaaaaaaaaaaaaaaaaa`
    const address = `${snapshot.tracking_url}/u/${token}`
    return {
      row,
      data: templateData(row, snapshot, { unsubscribe_url: address, web_view_url: '', preferences_url: '' }),
      tracking: { pixel: `${snapshot.tracking_url}/t/o/${token}.gif`, click: token },
    }
  })
  const person = (n: number) => people[n % people.length] as (typeof people)[number]
  const interpreter = (compile: (source: string, options: object) => Prepared): Way => {
    const [subject, html, text] = [
      compile(snapshot.subject, { noEscape: true }),
      compile(snapshot.html, {}),
      compile(snapshot.text, { noEscape: true }),
    ]
    return (n) => {
      const { data, tracking } = person(n)
      const options = { data: { ...tracking } }
      return { subject: subject(data, options), html: html(data, options), text: text(data, options) }
    }
  }
  return {
    ours: (n) => renderer.render(person(n).data, person(n).tracking),
    limit: handSplit(snapshot, people),
    evalless: interpreter((source, options) => Evalless.default.create().compileAST(source, options)),
    workers_hbs: interpreter((source, compile) => (data, options) => renderWorkersHbs(source, data, options, compile)),
    message: (n) => composeMail(campaign, person(n).row, signing, date, undefined),
    mime: async (n) => buildMessage(await composeMail(campaign, person(n).row, signing, date, undefined)).bytes,
  }
}

/**
 * What a program can do that was written for this one mail: pieces and values are ready, each mail joins them. Blocks are
 * resolved beforehand, values are escaped beforehand.
 */
function handSplit(snapshot: Snapshot, people: { data: object; tracking: { pixel: string; click: string } }[]): Way {
  const mark = '\u0001'
  const parts = [
    [snapshot.subject, true],
    [snapshot.html, false],
    [snapshot.text, true],
  ] as const
  const mails = people.map(({ data, tracking }) =>
    parts.map(([source, noEscape]) => {
      const marked = source.replace(/\{\{\{?[^#/{}]+\}\}\}?/g, (tag) =>
        tag === '{{else}}' ? tag : `${mark}${tag}${mark}`,
      )
      return language
        .compile(marked, { noEscape })(data, { data: { ...tracking } })
        .split(mark)
    }),
  )
  return (n) => {
    const [subject = [], html = [], text = []] = mails[n % mails.length] ?? []
    return { subject: subject.join(''), html: html.join(''), text: text.join('') }
  }
}

/** Mails of each way as they are, for comparison. */
async function samples(): Promise<Record<string, Mail[]>> {
  const made: Record<string, Mail[]> = {}
  for (const name of ['ours', 'limit', 'evalless', 'workers_hbs']) {
    made[name] = await Promise.all([0, 1, 2, 3, 4].map(async (n) => (await ways[name]?.(n)) as Mail))
  }
  return made
}
