// `npm run doctor`: will mail from a domain be welcome? `--help` lists the options.
import { parseArgs } from 'node:util'
import { asciiDomain } from '../src/doctor/domain.ts'
import { examineDomain } from '../src/doctor/examine.ts'
import type { SendingPath } from '../src/doctor/path.ts'
import { anyPath, type Report, reportOf } from '../src/doctor/report.ts'
import { openResolver, RESOLVERS } from '../src/doctor/resolver.ts'
import { serviceOf } from '../src/doctor/services.ts'
import { checkUrls } from '../src/doctor/urls.ts'
import { printed } from './doctor/print.ts'
import { openApi } from './import/api.ts'
import { ImportError } from './import/error.ts'

const HELP = `npm run doctor -- --domain example.com

Looks at what DNS says of mail from the domain (SPF, DKIM, DMARC and alignment, the MX of domain and return path), and prints
for each fault the record to put right. Exit code 1 when something is an error.

  --api URL --key KEY    an installation and an API key with the scope read (or EMK_API_URL and EMK_API_KEY): then for its
                         accounts, their keys and return paths; tries the login of each account, and the tracking links
  --selector s1          a DKIM selector to look for; may be given several times
  --json                 prints one object, for a program

Without --api:
  --return-path DOMAIN   where bounces go, when that is not the domain itself
  --service KIND         what sends: ses or sendgrid

  --resolver URL         a DNS-over-HTTPS resolver with a JSON answer, in place of Cloudflare's and Google's; only without --api
`

/** How long all of it may take without an installation, ms. */
const PATIENCE = 30_000

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    json: { type: 'boolean' },
    domain: { type: 'string' },
    selector: { type: 'string', multiple: true, default: [] },
    'return-path': { type: 'string' },
    service: { type: 'string' },
    resolver: { type: 'string', multiple: true },
    api: { type: 'string', default: process.env.EMK_API_URL },
    key: { type: 'string', default: process.env.EMK_API_KEY },
  },
})

if (values.help) {
  console.log(HELP)
  process.exit(0)
}
try {
  const domain = domainOf('--domain', values.domain)
  const report = await (values.api ? ofInstallation(values.api, domain) : ofDns(domain))
  console.log(values.json ? JSON.stringify(report, null, 2) : printed(report))
  process.exitCode = report.ok ? 0 : 1
} catch (error) {
  if (!(error instanceof ImportError)) throw error
  console.error(`doctor: ${error.message}`)
  process.exitCode = 2
}

async function ofInstallation(api_url: string, domain: string): Promise<Report> {
  if (!values.key) throw new ImportError('--api and --key go together')
  const selector = values.selector.length > 0 ? `&selector=${encodeURIComponent(values.selector.join(','))}` : ''
  const { links, ...report } = await openApi(api_url, values.key).get<
    Report & { links: { tracking_url: string; unsubscribe_url: string } }
  >(`/doctor?domain=${encodeURIComponent(domain)}${selector}`)
  // From here, as readers do: a Worker that asks its own zone does not go by the routes that they come by.
  const urls = await checkUrls(domain, { fetch, ...links, signal: AbortSignal.timeout(PATIENCE) })
  return reportOf(report.domain, [...report.findings, ...urls])
}

async function ofDns(domain: string): Promise<Report> {
  const signal = AbortSignal.timeout(PATIENCE)
  const resolver = openResolver({ fetch, urls: values.resolver ?? RESOLVERS, signal })
  return reportOf(domain, await examineDomain(resolver, domain, [pathOf(domain)], values.selector))
}

function pathOf(domain: string): SendingPath {
  const kind = values.service ?? null
  if (kind !== null && kind !== 'ses' && kind !== 'sendgrid') throw new ImportError('--service must be ses or sendgrid')
  const given = values['return-path']
  // Amazon SES and SendGrid have return paths of their own until they are told otherwise.
  if (given === undefined)
    return kind === null ? anyPath(domain) : { ...anyPath(domain), ...of(kind), return_path: null }
  const return_path = { domain: domainOf('--return-path', given), taken_by: null }
  return { ...anyPath(domain), ...(kind === null ? {} : of(kind)), return_path }
}

function of(kind: 'ses' | 'sendgrid') {
  return { kind, service: serviceOf(kind, null) }
}

function domainOf(option: string, text: string | undefined): string {
  const domain = text === undefined ? null : asciiDomain(text)
  if (domain === null) throw new ImportError(`${option} must be a domain such as example.com (see --help)`)
  return domain
}
