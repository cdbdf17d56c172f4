// What columns of a file can become, and by which names they are recognised.
import type { SubscriberStatus } from '../subscribers/status.ts'
import type { ImportKind } from './status.ts'

export const SUBSCRIBER_FIELDS = [
  'email',
  'name',
  'first_name',
  'last_name',
  'status',
  'unsubscribed',
  'bounced',
  'complained',
  'tags',
  'timezone',
  'locale',
  'consented_at',
  'consent_source',
  'list_ids',
  'attributes',
] as const
export type SubscriberField = (typeof SUBSCRIBER_FIELDS)[number]

export const SUPPRESSION_FIELDS = [
  'email',
  'domain',
  'hash',
  'kind',
  'value',
  'reason',
  'source',
  'created_at',
] as const
export type SuppressionField = (typeof SUPPRESSION_FIELDS)[number]

/** Usual names; spelling is compared without case, accents, blanks and punctuation. */
const NAMES: Record<SubscriberField, string> = {
  email:
    'email, e-mail address, mail, mail address, E-Mail-Adresse, Mailadresse, adresse e-mail, courriel, correo, correo electrónico, indirizzo email, endereço de email, e-mailadres, e-post, e-posta, адрес электронной почты, メールアドレス, 电子邮件',
  name: 'name, full name, vollständiger Name, nom complet, nombre completo, nome completo',
  first_name:
    'first name, fname, given name, forename, Vorname, prénom, nombre, nome, voornaam, imię, förnamn, имя, 名',
  last_name:
    'last name, lname, surname, family name, Nachname, Familienname, nom, nom de famille, apellido, apellidos, cognome, sobrenome, achternaam, nazwisko, efternamn, фамилия, 姓',
  // Also those of shops, whose exports hold everyone who ever bought something.
  status:
    'status, subscription status, subscriber status, email status, email marketing, email marketing status, email marketing consent, accepts email marketing, accepts marketing, marketing consent, subscribed',
  unsubscribed:
    'unsubscribed, is unsubscribed, opted out, opt-out, blocklisted, blacklisted, email blocklisted, email blacklisted, do not email, unsub time, unsubscribed at, unsubscribe date, opt-out date, abgemeldet',
  bounced: 'bounced, bounced at, hard bounced, cleaned, clean time',
  complained: 'complained, spam complaint, marked as spam',
  tags: 'tags, tag, labels',
  timezone: 'timezone, time zone, contact timezone, Zeitzone, fuseau horaire, zona horaria',
  locale: 'locale, language, lang, Sprache, langue, idioma, lingua, taal',
  consented_at:
    'consented at, consent date, consent time, opt-in at, optin time, opt-in date, confirmed at, subscribed at',
  consent_source: 'consent source, opt-in source',
  list_ids: 'list ids',
  attributes: 'attributes',
}

const SUPPRESSION_NAMES: Record<SuppressionField, string> = {
  email: NAMES.email,
  domain: 'domain, Domäne, domaine, dominio',
  hash: 'hash',
  kind: 'kind',
  value: 'value',
  reason: 'reason',
  source: 'source',
  created_at: 'created at, suppressed at',
}

/** A name without case, accents, blanks and punctuation, in whatever script. */
const plain = (name: string) =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '')

const spelt = <Field extends string>(names: Record<Field, string>) =>
  new Map(
    Object.entries<string>(names).flatMap(([field, list]) =>
      list.split(',').map((name): [string, Field] => [plain(name), field as Field]),
    ),
  )

const USUAL: { [kind in ImportKind]: ReadonlyMap<string, string> } = {
  subscribers: spelt(NAMES),
  suppressions: spelt(SUPPRESSION_NAMES),
}

/** The field that columns of this name usually hold. */
export const usualField = (kind: ImportKind, name: string): string | undefined => USUAL[kind].get(plain(name))

/** How people's standing is called elsewhere. Null: someone who has not agreed, or not yet. */
const STATUSES: Record<string, SubscriberStatus | null> = {
  active: 'active',
  yes: 'active',
  true: 'active',
  1: 'active',
  subscribed: 'active',
  subscriber: 'active',
  confirmed: 'active',
  enabled: 'active',
  unsubscribed: 'unsubscribed',
  disabled: 'unsubscribed',
  blocklisted: 'unsubscribed',
  blacklisted: 'unsubscribed',
  'opted out': 'unsubscribed',
  'opted-out': 'unsubscribed',
  opted_out: 'unsubscribed',
  archived: 'unsubscribed',
  bounced: 'bounced',
  'hard bounced': 'bounced',
  hard_bounced: 'bounced',
  cleaned: 'bounced',
  complained: 'complained',
  complaint: 'complained',
  spam: 'complained',
  'marked as spam': 'complained',
  no: null,
  false: null,
  0: null,
  never_subscribed: null,
  'never subscribed': null,
  'not subscribed': null,
  not_subscribed: null,
  unconfirmed: null,
  pending: null,
  nonsubscribed: null,
  'non-subscribed': null,
  transactional: null,
}

/** @returns undefined when the word says nothing to us */
export const statusOf = (word: string): SubscriberStatus | null | undefined => {
  const lower = word.toLowerCase()
  return Object.hasOwn(STATUSES, lower) ? STATUSES[lower] : undefined
}
