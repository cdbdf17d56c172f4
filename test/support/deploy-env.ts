/** A deploy.env with nothing missing and nothing made yet. */
export const COMPLETE = {
  CLOUDFLARE_API_TOKEN: 'a-token-of-cloudflare',
  CLOUDFLARE_ACCOUNT_ID: '0123456789abcdef0123456789abcdef',
  PUBLIC_URL: 'https://mail.example.com',
  DATABASE_URL: 'postgresql://owner:a-password@ep-one-pooler.eu-central-1.aws.neon.tech/kit',
  DATABASE_URL_DIRECT: 'postgresql://owner:a-password@ep-one.eu-central-1.aws.neon.tech/kit',
  UPSTASH_REDIS_REST_URL: 'https://one.upstash.io',
  UPSTASH_REDIS_REST_TOKEN: 'a-token-of-upstash',
  ACCOUNTS: '[{"name":"main","kind":"smtp","host":"smtp.example.com","port":465,"tls":"implicit"}]',
  RECIPIENT_ALLOWLIST: 'me@example.com',
  TEST_RECIPIENT: 'me@example.com',
  TEST_FROM_EMAIL: 'news@example.com',
  TEST_FROM_NAME: 'Our News',
  TEST_POSTAL_ADDRESS: '1 Example Street, 12345 Town',
} as const

/** The file's text, with some values replaced or added. */
export function envText(changes: Record<string, string>): string {
  const lines = Object.entries({ ...COMPLETE, ...changes }).map(([name, value]) => `${name}=${value}`)
  return `# settings\n${lines.join('\n')}\n`
}
