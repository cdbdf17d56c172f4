// The secrets of a local run: the same on every computer and known to everybody, so that links in mails already in the
// inbox still work after a restart. A Worker whose ENVIRONMENT is "production" refuses to start with any of them.

/** SIGNING_KEYS; the secret reads "development-key-never-deploy-it!". */
export const DEVELOPMENT_SIGNING_KEYS = '1:signing:ZGV2ZWxvcG1lbnQta2V5LW5ldmVyLWRlcGxveS1pdCE'

/** HASH_KEY; reads "development-hash-do-not-deploy-!". */
export const DEVELOPMENT_HASH_KEY = 'ZGV2ZWxvcG1lbnQtaGFzaC1kby1ub3QtZGVwbG95LSE'

/** BOOTSTRAP_SECRET */
export const DEVELOPMENT_BOOTSTRAP_SECRET = 'development-bootstrap-secret-do-not-deploy'

/**
 * Whether SIGNING_KEYS holds the development secret, under whatever id or state, where it must not.
 *
 * @param environment - ENVIRONMENT
 */
export function usesDevelopmentKeys(environment: string, signing_keys: string): boolean {
  const secret = DEVELOPMENT_SIGNING_KEYS.slice(DEVELOPMENT_SIGNING_KEYS.lastIndexOf(':') + 1)
  return environment === 'production' && signing_keys.includes(secret)
}
