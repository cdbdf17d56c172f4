// Tokens come from anywhere. A hundred thousand inputs made of good tokens, of parts of them and of nothing: whatever is
// accepted is, character for character, a token that was signed for this purpose with one of these keys.
import { expect, test } from 'vitest'
import { encodeBase32 } from '../../../src/tokens/base32.ts'
import { encodeBase64url } from '../../../src/tokens/base64url.ts'
import { parseSigningKeys, type SigningKeys } from '../../../src/tokens/keys.ts'
import { isTrackable, signLink, signRecipientLink, verifyLink, verifyRecipientLink } from '../../../src/tokens/link.ts'
import { signMailToken, verifyMailToken } from '../../../src/tokens/mail-token.ts'
import { ANYBODY, NOBODY } from '../../../src/tokens/nobody.ts'
import { type RecipientPurpose, signRecipient, verifyRecipient } from '../../../src/tokens/recipient.ts'
import { keysOf, secretOf } from './secrets.ts'

const INPUTS = 120_000
const AT_ONCE = 500
const RECIPIENT_PURPOSES = ['open', 'click', 'unsubscribe', 'view'] as const
const MAIL_PURPOSES = ['bounce', 'unsubscribe-mail'] as const
const IDS = [1, 2, 127, 128, 16_383, 16_384, 5_000_000, 2 ** 32, 2 ** 45, ANYBODY, NOBODY]
const URLS = ['https://a.example/', 'http://b.example/?q=1&r=%2F#x', `https://c.example/größe/${'x'.repeat(300)}`]
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const ODD = ['.', '=', '+', '/', '%', '%2e', ' ', '\0', '\n', 'é', 'ſ', 'K', '١', '\ud800', '😀', 'r', '0', ',', ':']

const keys = await parseSigningKeys(
  `3:signing:${secretOf(3)},2:verifying:${secretOf(2)},1:redirect-only:${secretOf(1)}`,
)
/** The same ids with other secrets, and an id that is in no list. */
const foreign = await Promise.all([
  parseSigningKeys(`3:signing:${secretOf(9)},2:verifying:${secretOf(8)}`),
  parseSigningKeys(`7:signing:${secretOf(3)}`),
])
const own = [keys, await keysOf('2:signing'), await keysOf('1:signing')]

// A stream of numbers from a seed (xorshift, 32 bits), so that a failure comes again.
const SEED = 20_261_124
let state = SEED
function below(n: number): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % n
}
const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T

interface Token {
  text: string
  /** What it was signed for: the function that takes it, and its purpose. */
  for: string
}

/** Everything that can be signed, with our keys and with others'. */
async function signAll(with_keys: SigningKeys): Promise<Token[]> {
  const tokens: Promise<Token>[] = []
  const add = (text: Promise<string>, purpose: string) =>
    void tokens.push(text.then((text) => ({ text, for: purpose })))
  for (const campaign_id of IDS) {
    for (const subscriber_id of [1, 300, NOBODY]) {
      for (const purpose of RECIPIENT_PURPOSES)
        add(signRecipient(with_keys, purpose, campaign_id, subscriber_id), purpose)
      for (const purpose of MAIL_PURPOSES) add(signMailToken(with_keys, purpose, campaign_id, subscriber_id), purpose)
    }
    for (const url of URLS) {
      add(signLink(with_keys, campaign_id, 1 + below(999), url), 'link')
      add(
        signRecipientLink(with_keys, { campaign_id, subscriber_id: 300 }, 1 + below(999), url),
        `recipient link ${campaign_id}`,
      )
    }
  }
  return Promise.all(tokens)
}

const good = (await Promise.all(own.map(signAll))).flat()
const others = (await Promise.all(foreign.map(signAll))).flat()
/** What each function may accept. */
const signed = new Map<string, Set<string>>()
for (const { text, for: purpose } of good) signed.set(purpose, (signed.get(purpose) ?? new Set()).add(text))

function mutate(text: string): string {
  const at = below(text.length + 1)
  const piece = below(3) === 0 ? pick(ODD) : (ALPHABET[below(64)] ?? '')
  switch (below(10)) {
    case 0:
      return text.slice(0, at) + piece + text.slice(at + 1)
    case 1:
      return text.slice(0, at) + piece + text.slice(at)
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + below(3))
    case 3:
      return text.slice(0, at)
    case 4:
      return text.slice(at)
    case 5: {
      const other = pick(good).text
      return text.slice(0, at) + other.slice(Math.min(at, other.length))
    }
    case 6:
      return text + pick(['A', '=', '.', ' ', '%', text, '\0'])
    case 7:
      return below(2) ? text.toUpperCase() : text.toLowerCase()
    case 8:
      return text.slice(0, at) + text.slice(at).split('').reverse().join('')
    default:
      return pick(['r', '0', '-', '+', ' ', '0x']) + text
  }
}

function noise(): string {
  const bytes = Uint8Array.from({ length: below(80) }, () => below(256))
  // The beginning of a good one: version, key, ids.
  if (below(2)) bytes.set([1, 1 + below(4), 1 + below(200), 1 + below(200)].slice(0, bytes.length))
  switch (below(4)) {
    case 0:
      return encodeBase64url(bytes)
    case 1:
      return encodeBase32(bytes)
    case 2:
      return Array.from(bytes, (byte) => (byte < 128 ? String.fromCharCode(byte) : pick(ODD))).join('')
    default:
      return `${below(5)}.${below(100)}.${below(100)}.${encodeBase64url(bytes)}.${encodeBase64url(bytes.slice(0, 16))}`
  }
}

function input(): string {
  switch (below(8)) {
    case 0:
      return noise()
    case 1:
      return pick(others).text
    case 2:
      return pick(good).text
    case 3:
      return mutate(mutate(mutate(pick(good).text)))
    default:
      return mutate(pick(good).text)
  }
}

/** Which of all functions take a text. */
async function taken(text: string): Promise<string[]> {
  const campaign_id = pick(IDS)
  const recipient = { campaign_id, subscriber_id: 300 }
  const answers = await Promise.all([
    ...RECIPIENT_PURPOSES.map(
      async (purpose: RecipientPurpose) => (await verifyRecipient(keys, purpose, text)) && purpose,
    ),
    ...MAIL_PURPOSES.map(async (purpose) => (await verifyMailToken(keys, purpose, text)) && purpose),
    verifyLink(keys, text).then((link) => link && isTrackable(link.url) && 'link'),
    verifyRecipientLink(keys, text, recipient).then((link) => link && `recipient link ${campaign_id}`),
  ])
  return answers.filter((answer) => typeof answer === 'string')
}

test(`${INPUTS} inputs: nothing is accepted that was not signed, and nothing throws`, async () => {
  const counts = { accepted: 0, refused: 0 }
  const wrong: string[] = []
  for (let n = 0; n < INPUTS; n += AT_ONCE) {
    const texts = Array.from({ length: AT_ONCE }, input)
    const results = await Promise.all(texts.map(taken))
    for (const [i, text] of texts.entries()) {
      const purposes = results[i] ?? []
      counts[purposes.length > 0 ? 'accepted' : 'refused'] += 1
      for (const purpose of purposes) {
        // A mail address may come in any case (some servers change it); nothing else may.
        const canonical =
          purpose === 'bounce' || purpose === 'unsubscribe-mail'
            ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
            : text
        if (!signed.get(purpose)?.has(canonical)) wrong.push(`${purpose}: ${JSON.stringify(text)}`)
      }
    }
  }
  expect(wrong).toEqual([])
  // Both happen often, or this says little.
  expect(counts.accepted).toBeGreaterThan(INPUTS / 20)
  expect(counts.refused).toBeGreaterThan(INPUTS / 2)
})
