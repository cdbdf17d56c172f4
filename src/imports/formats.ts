// What is known of the exports of other products: how they are recognised, and what their columns become.
import type { SubscriberStatus } from '../subscribers/status.ts'
import type { ExportFormat } from './state.ts'

interface Format {
  /** Columns, in lower case, of which one set is whole in every export of the product and in none of another's. */
  signs: string[][]
  /** Columns of exports that have these and no other. */
  exact?: string[][]
  /** What columns become whose usual meaning is not theirs. */
  columns: ReadonlyMap<string, string>
}

const LEFT_OUT = '-'
/** @param fields - from columns to what they become */
const columnsOf = (fields: Record<string, string>, ...left_out: string[]): ReadonlyMap<string, string> =>
  new Map([...Object.entries(fields), ...left_out.map((name): [string, string] => [name, LEFT_OUT])])

export const FORMATS: Record<Exclude<ExportFormat, 'generic'>, Format> = {
  // src/exports/subscribers.ts and src/suppressions. Lists have other ids elsewhere, so they are left out unless `lists` is
  // mapped to list_ids; whoever left the list that was exported is not put on a list by it.
  kit: {
    signs: [['id', 'email', 'status', 'paused_until', 'consent_source', 'lists', 'attributes']],
    exact: [['kind', 'value', 'reason', 'source', 'created_at']],
    columns: columnsOf({ list_status: 'list_status' }, 'id', 'paused_until', 'created_at', 'updated_at', 'lists'),
  },
  // An audience's export is a ZIP of one file for each standing, named and with columns by it. What the standings are:
  // https://mailchimp.com/help/about-cleaned-contacts/, https://mailchimp.com/help/view-unsubscribed-contacts/. No page lists
  // the columns; they are those of exports that people have published.
  mailchimp: {
    signs: [
      ['leid', 'euid'],
      ['member_rating', 'optin_time', 'confirm_time'],
    ],
    columns: columnsOf(
      {
        optin_time: 'opted_in_at',
        confirm_time: 'consented_at',
        unsub_time: 'unsubscribed',
        clean_time: 'bounced',
        unsub_reason: 'attributes.unsubscribe_reason',
        unsub_reason_other: 'attributes.unsubscribe_comment',
        cc: 'attributes.country',
      },
      ...['leid', 'euid', 'optin_ip', 'confirm_ip', 'latitude', 'longitude', 'gmtoff', 'dstoff', 'last_changed'],
      ...['unsub_campaign_title', 'unsub_campaign_id', 'clean_campaign_title', 'clean_campaign_id'],
    ),
  },
  // The header is written in cmd/subscribers.go of https://github.com/knadh/listmonk. Lists are not in it, and `disabled` and
  // `blocklisted` people get nothing there: https://listmonk.app/docs/concepts/
  listmonk: {
    signs: [['uuid', 'email', 'name', 'attributes', 'status']],
    columns: columnsOf({}, 'uuid', 'created_at', 'updated_at'),
  },
  // EMAIL, ADDED_TIME, MODIFIED_TIME are always there, `email_marketing` when the subscription status is asked for:
  // https://developers.brevo.com/reference/request-contact-export
  brevo: {
    signs: [
      ['email', 'added_time', 'modified_time'],
      ['contact id', 'email', 'added_time'],
    ],
    columns: columnsOf(
      // The last two are attributes of forms; what they say of consent depends on the form.
      { sms: 'attributes.sms', opt_in: 'attributes.opt_in', 'double_opt-in': 'attributes.double_opt_in' },
      ...['contact id', 'added_time', 'modified_time', 'sms_blacklisted', 'sms_blocklisted'],
    ),
  },
  // Contacts: https://www.twilio.com/docs/sendgrid/api-reference/contacts/export-contacts; and the lists of suppressions, with
  // the fields of https://www.twilio.com/docs/sendgrid/api-reference/spam-reports-api/retrieve-all-spam-reports and its
  // neighbours: bounces, blocks, invalid addresses, global unsubscribes. `status` there is the SMTP status.
  sendgrid: {
    signs: [
      ['email', 'contact_id', 'created_at', 'updated_at'],
      ['email', 'first_name', 'last_name', 'address_line_1', 'state_province_region', 'postal_code'],
    ],
    exact: [
      ['status', 'reason', 'email', 'created'],
      ['reason', 'email', 'created'],
      ['email', 'created', 'ip'],
      ['email', 'created'],
    ],
    columns: columnsOf(
      { state_province_region: 'attributes.region' },
      ...['contact_id', 'created_at', 'updated_at', 'created', 'reason', 'status', 'ip', 'alternate_emails'],
    ),
  },
}

const lower = (header: readonly string[]) => new Set(header.map((name) => name.toLowerCase()))

/** What a file of refused rows begins with, before the columns of their own file: left out when it is imported again. */
export const REFUSAL_COLUMNS = ['line', 'reason'] as const
export const holdsRefusals = (header: readonly string[]) =>
  header.length > 2 && REFUSAL_COLUMNS.every((name, i) => header[i] === name)

export function formatOf(header: readonly string[]): ExportFormat {
  const names = lower(holdsRefusals(header) ? header.slice(REFUSAL_COLUMNS.length) : header)
  const has = (columns: string[]) => columns.every((name) => names.has(name))
  for (const [format, { signs, exact = [] }] of Object.entries(FORMATS)) {
    const found = signs.some(has) || exact.some((columns) => columns.length === names.size && has(columns))
    if (found) return format as ExportFormat
  }
  return 'generic'
}

/**
 * What everyone in a file is because of the file they are in. Mailchimp exports those who left and those whose address is
 * dead as files of their own, SendGrid each list of suppressions.
 *
 * `never`: people who never agreed (Mailchimp's non-subscribed contacts). `for a time`: whom a server turned away once
 * (SendGrid's blocks, which it goes on mailing). `unclear`: SendGrid's columns do not tell what its file's name would.
 */
export type Standing = SubscriberStatus | 'never' | 'for a time' | 'unclear'

/** @returns null when the rows say it themselves */
export function standingOf(format: ExportFormat, header: readonly string[], file_name: string | null): Standing | null {
  const columns = lower(holdsRefusals(header) ? header.slice(REFUSAL_COLUMNS.length) : header)
  const name = file_name ?? ''
  // The names are looked at as well when somebody has taken columns away.
  if (format === 'mailchimp' || (format === 'generic' && /_export_/i.test(name))) {
    if (columns.has('clean_time') || /(?:^|[^a-z])cleaned_/i.test(name)) return 'bounced'
    if (/(?:^|[^a-z])nonsubscribed_/i.test(name)) return 'never'
    return columns.has('unsub_time') || /(?:^|[^a-z])unsubscribed_/i.test(name) ? 'unsubscribed' : null
  }
  if (format !== 'sendgrid' || !columns.has('created')) return null
  if (/spam/i.test(name)) return 'complained'
  if (/block/i.test(name)) return 'for a time'
  if (columns.has('reason')) return 'bounced'
  return /unsub/i.test(name) ? 'unsubscribed' : 'unclear'
}
