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
    /** For the project `api` only: paths of the Workers it is bound to. */
    bundles: { sender: string; tracking: string }
  }
}
