// What the set-up tells the tests. Free of Node, since tests inside workerd read it too.
import 'vitest'

export interface RedisAddress {
  engine: 'redis-server' | 'built-in'
  url: string
  token: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** Connection string of the `postgres` database; replace the last part for another. */
    postgres: string
    /** The migrated database that others are cloned from. */
    template: string
    /** `host:port` of Neon's endpoint. */
    neon: string
    /** One per engine this computer has, the preferred one first. */
    redis: RedisAddress[]
    /** For the project `sender` only: where servers that misbehave are started (smtp-fault-control.ts). */
    faults: string
    /** For the project `sender` only: where Postfix is started (real-mta.ts). */
    mta: string
    /** For the project `sender` only: SES's endpoint with its signature check. */
    ses: string
    /** For the project `sender` only: aws-ses-v2-local, which takes any signature and parses the message. */
    ses_local: string
    /** For the project `sender` only: SendGrid's endpoint with its documented limits. */
    sendgrid: string
    /** For the project `api` only: a DNS-over-HTTPS resolver that knows DOCTOR_ZONE (dns-zone.ts). */
    dns: string
    /** For the project `api` only: takes webhooks' messages, and answers as their path says (receiver.ts). */
    receiver: string
    /** For the projects `api` and `paths` only: paths of the bundled Workers. */
    bundles: { api: string; sender: string; tracking: string }
  }
}
