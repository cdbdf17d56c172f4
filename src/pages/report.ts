// The report of one campaign: one document without a script, which can be read, printed and kept. Everything in it comes
// from outside and is escaped where it is written.
import type { Report } from '../reports/read.ts'
import { escapeHtml } from './layout.ts'
import { charts } from './report-charts.ts'
import { deliveries } from './report-deliveries.ts'
import { kinds } from './report-kinds.ts'
import { links } from './report-links.ts'
import { glance, readers } from './report-readers.ts'
import { REPORT_STYLE } from './report-style.ts'
import { counted, duration, moment, number, percent } from './report-words.ts'

/**
 * The frame with the mail inherits it: mails carry their style in attributes, and show pictures. Nothing else is let in, and
 * no script runs in either.
 */
export const REPORT_POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src https: http: data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** How a page that comes anew by itself does so; `still` when it was asked not to. */
export interface Refresh {
  seconds: number
  still: boolean
}

/** @param refresh - null for one that stays as it is */
export function reportPage(report: Report, refresh: Refresh | null = null): string {
  const { campaign, sender } = report
  const started = campaign.started_at !== null
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>${escapeHtml(campaign.name)} – report</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<main>
<header>
<p class="sender">${escapeHtml(sender)}</p>
<h1>${escapeHtml(campaign.name)}</h1>
<p class="subject">${escapeHtml(campaign.subject)}</p>
${status(report)}
${progress(report, refresh)}
</header>
${(started ? SECTIONS : [theMail]).map((section) => section(report)).join('\n')}
<footer>
${started ? `<p>${behind(report)}</p>` : ''}
<p>As of ${moment(report.made_at.toISOString())}. All times are UTC.</p>
</footer>
</main>
</body>
</html>
`
}

/** The most wanted first. */
const SECTIONS = [glance, readers, charts, links, theMail, deliveries, kinds]

const STATUSES: Record<Report['campaign']['status'], string> = {
  draft: 'Draft',
  scheduled: 'Scheduled',
  sending: 'Sending',
  paused: 'Paused',
  sent: 'Sent',
  cancelled: 'Cancelled',
}

function status({ campaign }: Report): string {
  const { status, status_reason, scheduled_at, started_at, finished_at } = campaign
  const times = [
    status === 'draft' ? 'Not sent yet: its numbers appear here once it is.' : '',
    started_at === null && scheduled_at && status !== 'draft' ? `To be sent on ${moment(scheduled_at)}.` : '',
    started_at ? `Started on ${moment(started_at)}.` : '',
    finished_at ? `Finished on ${moment(finished_at)}.` : '',
  ]
  const reason = status_reason ? `<p class="notice">${escapeHtml(status_reason)}</p>` : ''
  return `<p><strong class="status">${STATUSES[status]}</strong> ${times.filter(Boolean).join(' ')}</p>${reason}`
}

function progress(report: Report, refresh: Refresh | null): string {
  const { status, started_at, audience_frozen } = report.campaign
  if (started_at === null || (status !== 'sending' && status !== 'paused')) return ''
  const { audience, open } = report.numbers.deliveries
  const done = audience - open
  const share = audience === 0 ? 0 : done / audience
  const so_far = audience_frozen ? '' : ' The audience is still being written down: there will be more of them.'
  return `<progress max="${Math.max(audience, 1)}" value="${done}" aria-label="Mails dealt with"></progress>
<p><strong>${number(done)}</strong> of ${counted(audience, 'mail')} dealt with (${percent(share)}), ${number(open)} to go.${so_far}</p>
${limits(report)}${renewal(refresh)}`
}

function limits({ campaign, limited_by, switched_off }: Report): string {
  if (campaign.status !== 'sending') return ''
  if (switched_off) return '<p class="notice">It waits: all sending is switched off.</p>'
  if (!limited_by)
    return '<p class="soft">Nothing that we know of holds it up: it goes as fast as queue and service are.</p>'
  const { account, detail } = limited_by
  return `<p class="notice">What sets its pace is the account ${escapeHtml(account)}. ${escapeHtml(detail)}</p>`
}

function renewal(refresh: Refresh | null): string {
  if (!refresh) return ''
  return refresh.still
    ? '<p class="soft screen">This page stands still. <a href="?">Update it by itself</a></p>'
    : `<p class="soft screen">This page updates itself every ${refresh.seconds} seconds. <a href="?still">Stop that</a></p>`
}

/** How far the numbers are behind. */
function behind({ buffered_events, buffered_seconds }: Report): string {
  if (buffered_events === null)
    return 'What readers did in the last minutes may be missing: how much cannot be told now.'
  if (buffered_events === 0) return 'Everything that readers did is counted.'
  const age = buffered_seconds === null ? '' : `, the oldest ${duration(buffered_seconds)} old`
  return `Not counted yet: ${counted(buffered_events, 'event')} of all campaigns${age}. That is done every minute.`
}

function theMail({ campaign, mail, track_clicks, numbers }: Report): string {
  const sent = campaign.started_at !== null
  const shows_clicks = sent && track_clicks !== 'none' && numbers.links.length > 0
  const title = shows_clicks ? 'Clicks in the mail' : 'The mail'
  const what = shows_clicks
    ? 'On each link: how often people clicked it, and its share of all their clicks. '
    : sent
      ? ''
      : 'As it would be sent now. '
  return `<section aria-labelledby="mail">
<h2 id="mail">${title}</h2>
${
  mail === null
    ? '<p>It cannot be shown: it asks for data that a sample person does not have.</p>'
    : `<p class="soft">${what}Filled in with a sample person’s data.</p>
<iframe title="${title}" sandbox srcdoc="${escapeHtml(mail)}"></iframe>`
}
</section>`
}
