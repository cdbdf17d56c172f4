import type { Finding } from './finding.ts'

/** Characters; phones show 30 to 45 of a subject, a window of a desktop about 60. */
const LONG = 60
/** A word of fewer capitals may be a name. */
const SHOUTED = 8
/** What mail programs of several languages put before the subject of an answer or a forwarded mail. */
const ANSWER = /^\s*(?:re|aw|sv|fw|fwd|wg|tr|rv|vs)\s*:/i

/** @param subjects - as they are rendered for some recipients */
export function subjectFindings(subjects: readonly string[]): Finding[] {
  const found: Finding[] = []
  const say = (code: string, detail: string) => found.push({ code, field: 'subject', detail })
  const longest = subjects.reduce((a, b) => (lengthOf(b) > lengthOf(a) ? b : a), '')
  if (lengthOf(longest) > LONG) {
    say('subject_long', `The subject has ${lengthOf(longest)} characters; phones show the first 30 to 45.`)
  }
  if (subjects.some(isShouted))
    say('subject_capitals', 'The subject is all capitals, which readers and filters take for spam.')
  if (subjects.some((subject) => ANSWER.test(subject))) {
    say(
      'subject_reply',
      'The subject begins like an answer or a forwarded mail; where it is none, that misleads (CAN-SPAM 15 USC 7704(a)(2)).',
    )
  }
  return found
}

const lengthOf = (text: string) => Array.from(text).length

function isShouted(subject: string): boolean {
  const capitals = subject.match(/\p{Lu}/gu)?.length ?? 0
  return capitals >= SHOUTED && !/\p{Ll}/u.test(subject)
}
