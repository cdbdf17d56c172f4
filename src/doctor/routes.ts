import * as z from 'zod'
import { invalidField } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { named } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { NOBODY } from '../tokens/nobody.ts'
import { signRecipient } from '../tokens/recipient.ts'
import { asciiDomain } from './domain.ts'
import { CHECKS, SEVERITIES } from './finding.ts'
import { examineInstallation } from './report.ts'

/** Selectors in one call. */
const MOST_SELECTORS = 10

const finding = named(
  'DoctorFinding',
  z.strictObject({
    check: z.enum(CHECKS),
    code: z.string().meta({ description: 'What was found, for programs' }),
    about: z.string().meta({ description: 'A name in DNS, or an account' }),
    severity: z.enum(SEVERITIES),
    what: z.string().meta({ description: 'For a person, with what to do' }),
    fix: z
      .strictObject({ type: z.enum(['TXT', 'CNAME', 'MX']), name: z.string(), value: z.string() })
      .nullable()
      .meta({
        description: 'A record for DNS, in place of the one of its kind at that name; null when it cannot be known',
      }),
    source: z.string().nullable().meta({ description: 'What demands it' }),
  }),
)

const report = named(
  'DoctorReport',
  z.strictObject({
    domain: z.string(),
    ok: z.boolean().meta({ description: 'Nothing is an error; what could not be looked up is one' }),
    findings: z.array(finding),
    links: z
      .strictObject({ tracking_url: z.string(), unsubscribe_url: z.string() })
      .meta({ description: "Where readers' clients go; to be looked at from outside, which no Worker is" }),
  }),
)

const query = z.strictObject({
  domain: z.string().min(1).max(300).meta({ description: 'Of a From address', example: 'example.com' }),
  selector: z
    .string()
    .max(1_000)
    .regex(/^[A-Za-z0-9._-]{1,128}(?:,[A-Za-z0-9._-]{1,128})*$/, 'must be DKIM selectors, comma separated')
    .optional()
    .meta({ description: 'DKIM selectors besides those of the accounts, comma separated' }),
})

const examine = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/doctor',
    tags: ['Settings'],
    summary: 'Look whether mail from a domain will be welcome',
    description:
      'SPF, DKIM, DMARC and alignment, the MX of domain and return path, for every account that may send from the domain, each with the record to put into DNS; and every account tried without a mail. Takes up to 20 seconds.',
    request: { query },
    responses: {
      200: { description: 'What was found', content: { 'application/json': { schema: report } } },
    },
  },
)

export function doctorRoutes({ sender, signing_keys, tracking_url }: Services) {
  const router = createRouter()

  router.openapi(examine, async (c) => {
    const given = c.req.valid('query')
    const domain = asciiDomain(given.domain)
    if (domain === null) throw invalidField('domain', 'must be a domain such as example.com')
    const selectors = [...new Set(given.selector?.split(',') ?? [])]
    if (selectors.length > MOST_SELECTORS) throw invalidField('selector', `must be at most ${MOST_SELECTORS}`)
    const found = await examineInstallation(sender, (input, init) => fetch(input, init), domain, selectors)
    const token = await signRecipient(signing_keys, 'unsubscribe', NOBODY, NOBODY)
    return c.json({ ...found, links: { tracking_url, unsubscribe_url: `${tracking_url}/u/${token}` } }, 200)
  })

  return router
}
