// A newsletter filled in for its recipients: the kit's renderer against the npm packages that also do without generated
// code, and against a program written for this one mail. All in one Worker, run by workerd itself, on one core.
import { deepStrictEqual } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'
import { buildMessage } from '../../src/mime/message.ts'
import type { Mail } from '../../src/providers/provider.ts'
import { prepareContent } from '../../src/render/render.ts'
import { composeMail } from '../../src/sending/compose.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import { newsletter, recipients } from '../newsletter.ts'
import { type Findings, median, spread } from '../result.ts'
import type { RenderJob } from '../rivals/render-worker.ts'
import type { Options } from '../run.ts'
import { bundleWorker, serveWorker } from '../workerd.ts'

/** Different people among the recipients. */
const PEOPLE = 200
/** Ms that one measurement should take: long against a request to the Worker, short against what else the computer does. */
const DURATION = 150
/** Measurements of each way in one round, in turn. */
const TURNS = 4
const WARM_UP = 300

const WAYS = {
  ours: 'ours: HTML, text and subject',
  limit: 'limit: ready pieces and values, joined',
  evalless: '@langtail/handlebars-evalless',
  workers_hbs: 'workers-hbs',
  message: 'ours: with signed tokens, before MIME',
  mime: 'ours: complete MIME messages',
} as const
const MIME_WAYS = { build: 'ours: MIME only, in Node', composer: 'nodemailer: MIME only, in Node' } as const

export async function benchRender({ rounds, say }: Options): Promise<Findings> {
  const dir = mkdtempSync(join(tmpdir(), 'emk-bench-'))
  try {
    say('bundling')
    const script = await bundleWorker('bench/rivals/render-worker.ts', dir)
    const keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
    const snapshot = await newsletter(keys)
    const rows = recipients(PEOPLE)
    const server = await serveWorker({ script, bindings: {} })
    const rates: Record<string, number[]> = {}
    const measured = async (name: string, run: (count: number) => Promise<void>) => {
      const list = rates[name] ?? []
      rates[name] = list
      const count = Math.max(20, Math.round(((list[0] ?? (await rate(run, WARM_UP))) * DURATION) / 1000))
      list.push(await rate(run, count))
    }
    try {
      await prepareWorker(server.url, { snapshot, rows })
      const run = (name: string) => (count: number) => get(`${server.url}/${name}/${count}`)
      for (const name of Object.keys(WAYS)) await run(name)(name === 'workers_hbs' ? 20 : WARM_UP)
      for (let round = 1; round <= rounds; round++) {
        for (let turn = 0; turn < TURNS; turn++) {
          for (const name of Object.keys(WAYS)) await measured(name, run(name))
        }
        say(`round ${round}: ${Object.keys(WAYS).map((name) => `${name} ${Math.round(rates[name]?.at(-1) ?? 0)}/s`)}`)
      }
    } finally {
      await server.stop()
    }
    const signing = { signing_keys: keys, link_hosts: () => false, mail_domain: '' }
    const campaign = { id: 1, snapshot, renderer: prepareContent(snapshot) }
    const mails = await Promise.all(rows.map((row) => composeMail(campaign, row, signing, new Date(), undefined)))
    for (let turn = 0; turn < rounds * TURNS; turn++) {
      await measured('build', (count) => composeAll(mails, count, (mail) => buildMessage(mail).bytes))
      await measured('composer', (count) => composeAll(mails, count, composeByNodemailer))
    }
    const of = (name: string) => median(rates[name] ?? [])
    const unit = 'mails/s'
    return {
      rows: Object.entries({ ...WAYS, ...MIME_WAYS }).map(([key, name]) => ({ name, value: of(key), unit })),
      ratios: {
        vs_limit: of('ours') / of('limit'),
        vs_best_interpreter: of('ours') / Math.max(of('evalless'), of('workers_hbs')),
        vs_evalless: of('ours') / of('evalless'),
        vs_workers_hbs: of('ours') / of('workers_hbs'),
        vs_mail_composer: of('build') / of('composer'),
      },
      notes: [
        `${Buffer.byteLength(snapshot.html)} bytes of HTML with 31 tags, 30 tracked links and a pixel, its text part and its subject, for ${PEOPLE} people in turn; every mail turned into UTF-8. The first mails of every way were compared byte by byte.`,
        `Each measurement takes about ${DURATION} ms of one core in workerd (the last two rows: in Node ${process.versions.node}); median of ${rounds * TURNS} in turn, spread of ours ${Math.round(spread(rates.ours ?? []) * 100)} %.`,
      ],
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** @throws when two ways do not make the same mail */
async function prepareWorker(url: string, job: RenderJob): Promise<void> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(job) })
  if (!response.ok) throw new Error(`the Worker cannot prepare: ${await response.text()}`)
  const { samples } = (await response.json()) as { samples: Record<string, Rendered[]> }
  for (const [name, mails] of Object.entries(samples)) {
    mails.forEach((mail, n) => {
      deepStrictEqual(withoutEntities(mail), withoutEntities(samples.ours?.[n]), `${name} renders another mail ${n}`)
    })
  }
}

type Rendered = { subject: string; html: string; text: string }

/** How a quote is written as an entity may differ between releases of Handlebars. */
function withoutEntities(mail: Rendered | undefined): Rendered | undefined {
  return mail && { ...mail, html: mail.html.replaceAll('&#39;', '&#x27;') }
}

async function get(url: string): Promise<void> {
  const response = await fetch(url)
  const { bytes } = (await response.json()) as { bytes: number }
  if (!(bytes > 0)) throw new Error(`${url} rendered nothing`)
}

/** @returns mails a second */
async function rate(run: (count: number) => Promise<void>, count: number): Promise<number> {
  const start = performance.now()
  await run(count)
  return (count / (performance.now() - start)) * 1000
}

async function composeAll(
  mails: Mail[],
  count: number,
  compose: (mail: Mail) => Uint8Array | Promise<Uint8Array>,
): Promise<void> {
  for (let n = 0; n < count; n++) {
    const made = compose(mails[n % mails.length] as Mail)
    const bytes = made instanceof Promise ? await made : made
    if (bytes.length === 0) throw new Error('an empty message')
  }
}

function composeByNodemailer(mail: Mail): Promise<Uint8Array> {
  return new MailComposer({
    from: { name: mail.from.name ?? '', address: mail.from.email },
    to: { name: mail.to.name ?? '', address: mail.to.email },
    replyTo: mail.reply_to ?? undefined,
    subject: mail.subject,
    html: mail.html,
    text: mail.text,
    messageId: `<${mail.message_id}>`,
    date: mail.date,
    headers: Object.fromEntries(mail.headers),
  })
    .compile()
    .build()
}
