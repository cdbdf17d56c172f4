// Notices in plain words: qmail's, Exim's before 4.86, Domino's, Yahoo's, Exchange's without a report, and any other mail
// server's that quotes a reply. Nothing here is standard; what is not surely a notice of failure is left alone.
import { judgeBounce } from './bounce.ts'
import type { IncomingMail } from './dsn-mail.ts'
import type { FeedbackKind } from './event.ts'

/** Where the copy of the mail begins that the notice is about: its words are ours, and must not be read as the server's. */
const COPY =
  /^[ \t>]*(?:-{2,}[ \t]*(?:below this line is a copy of the message|this is a copy of|original message|the header of the original message|returned (?:message|mail)|message headers?|the following is|forwarded message|unsent message)|original message (?:headers|follows)\b|received: |return-path: )/im

/** Who writes notices. */
const DAEMON =
  /\b(?:mailer-?daemon|postmaster|mail delivery (?:sub)?system|maildelivery|mail-daemon|mailadmin|mdaemon|microsoft ?exchange\w*)\b/i
const FAILURE =
  /\b(?:undeliver(?:able|ed)|delivery (?:status notification|failure|failed|has failed|problem|report)|deliver[iy]\w* fail|failure notice|returned mail|mail delivery failed|mail system error|non ?remis|unzustellbar|nicht zugestellt|unzustellbarkeit|non ?recapitabile|no se puede entregar|could not be delivered|not delivered)\b/i
/** At a subject's start: further on it may be the subject of the mail that the notice is about. */
const DELAY_SUBJECT =
  /^\W{0,3}(?:warning: (?:message|could not send|e-?mail)|delayed\b|(?:mail |message )?delivery (?:is |has been )?(?:delayed|deferred)|(?:mail )?delivery (?:status )?notification \(delay|delivery (?:delay|warning)|message delayed|verzögert|verzögerung)/i
const DELAY =
  /\b(?:has not yet been delivered|not yet been (?:delivered|able)|(?:be|being) retried|will (?:keep trying|continue to try|retry|try again)|still trying|do not need to (?:re)?send|warning (?:message )?only|delivery attempts will continue|no action is required on your part)\b/i

const AWAY =
  /^(?:re: ?)?\W{0,3}(?:automatic reply|automated reply|auto[- ]?(?:reply|response|responder|matische antwort)|out[- ]of[- ](?:the[- ])?office|ooo\b|abwesen|nicht im b(?:ü|ue)ro|r[ée]ponse automatique|absence|respuesta autom|fuera de|risposta automatica|automatisch antwoord|autosvar|vacation|on (?:vacation|holiday|leave)|i(?: a|')m (?:away|out)|thank you for (?:your|contacting))/i

/** A person's program answered, not a mail server on the way. */
export function isAutomaticReply(mail: IncomingMail): boolean {
  const auto_submitted = mail.header('auto-submitted').trim()
  return (
    isAbsence(mail) ||
    (auto_submitted !== '' && !/^no\b/i.test(auto_submitted)) ||
    /^(?:auto[_-]?reply|bulk|junk|list)\b/i.test(mail.header('precedence').trim()) ||
    /\breport-type\s*=\s*"?disposition-notification\b/i.test(mail.header('content-type'))
  )
}

/** By what no mail server writes, while the marks above are on notices too. */
const isAbsence = (mail: IncomingMail) =>
  ['x-autoreply', 'x-autorespond', 'x-autoresponder'].some((name) => mail.header(name) !== '') ||
  AWAY.test(mail.header('subject'))

/** @returns null when it is no notice, or one of which nobody can tell what it says */
export function readWording(
  mail: IncomingMail,
  null_sender: boolean,
): { kind: FeedbackKind; diagnostic: string | null } | null {
  const cut = COPY.exec(mail.text)
  const text = cut ? mail.text.slice(0, cut.index) : mail.text
  const known = KNOWN.map((sign) => sign.exec(text)).find((match) => match !== null)
  const subject = mail.header('subject')
  const daemon = DAEMON.test(mail.header('from'))
  const fails = FAILURE.test(subject)
  // A person's own program may answer from the null sender, and anybody may quote anything.
  const is_notice = known
    ? daemon || null_sender
    : !isAbsence(mail) && (daemon ? fails || null_sender : fails && null_sender && !isAutomaticReply(mail))
  if (!is_notice) return null
  const reason = known ? text.slice(known.index + known[0].length) : text
  const quote = quoteOf(reason)
  // A warning comes several times for one mail: counted as bounces, they would suppress the address.
  if (DELAY_SUBJECT.test(subject) || (DELAY.test(text) && !quote?.permanent)) {
    return { kind: 'deferred', diagnostic: quote?.words ?? null }
  }
  if (quote) {
    const kind = NO_ACCOUNT.test(quote.words) ? 'hard_bounce' : judgeBounce(quote.words, quote.status)
    return { kind: kind ?? 'soft_bounce', diagnostic: quote.words }
  }
  if (!known) return null
  // No code at all, but words that are the failure's alone.
  const words = paragraph(reason.trimStart())
  return { kind: judgeBounce(`550 ${words}`, null) ?? 'soft_bounce', diagnostic: words || null }
}

/** Of servers whose notices are always alike: what stands before the reason. */
const KNOWN: readonly RegExp[] = [
  /Hi\. This is the qmail-send program at[\s\S]{0,400}?(?:\n\r?\n|$)/,
  /This message was created automatically by mail delivery software[\s\S]{0,600}?(?:address(?:es|\(es\))?\s+failed|has not yet been delivered is):?[^\n]*/,
  /Your message[\s\S]{0,400}?was not delivered to:[\s\S]{0,400}?because:/,
  /Sorry, we were unable to deliver your message to the following address\./,
]

/** Yahoo's, under a code that says nothing. */
const NO_ACCOUNT = /\buser does(?:n't| not) have an? \S{1,60} account\b/i

/** In characters. */
const WORDS_LIMIT = 500

/** In the order of what they tell. Each is tried on the whole text. */
const QUOTES: readonly RegExp[] = [
  /\b(?<code>[45][0-9]{2})[ -]{1,3}#?(?<status>[45]\.[0-9]{1,3}\.[0-9]{1,3})\b/,
  /(?:#|\bstatus(?: code)?:?[ \t]{0,3}|\bsmtp;[ \t]{0,3})(?<status>[45]\.[0-9]{1,3}\.[0-9]{1,3})\b/i,
  /(?:^[ \t<]{0,20}|[:;>][ \t]{0,4}|\b(?:error|reason|said|reply|response|code)[ \t]{1,3})(?<code>[45][0-9]{2})(?=[ \t:-])/im,
]

interface Quote {
  words: string
  status: string | null
  /** 5yz or 5.y.z: nobody tries again. */
  permanent: boolean
}

/** The first reply or status that a text quotes, with the words about it to the end of their paragraph. */
function quoteOf(text: string): Quote | null {
  for (const pattern of QUOTES) {
    const match = pattern.exec(text)
    if (!match) continue
    const { code, status = null } = match.groups ?? {}
    const permanent = (code ?? status ?? '').startsWith('5')
    if (code === undefined) {
      // The words stand before it: "Sorry, no mailbox here by that name. (#5.1.1)"
      const start = Math.max(
        text.lastIndexOf('\n\n', match.index),
        text.lastIndexOf('\n\r\n', match.index),
        match.index - 300,
        0,
      )
      return { words: paragraph(text.slice(start).trimStart()), status, permanent }
    }
    const end = match.index + match[0].length
    const rest = paragraph(text.slice(end).replace(/^[ :-]+/, ''))
    return { words: [code, status, rest].filter(Boolean).join(' ').slice(0, WORDS_LIMIT), status, permanent }
  }
  return null
}

function paragraph(text: string): string {
  const end = text.search(/\n[ \t]*\r?\n/)
  return text
    .slice(0, end < 0 ? WORDS_LIMIT : Math.min(end, WORDS_LIMIT))
    .replace(/\s+/g, ' ')
    .trim()
}
