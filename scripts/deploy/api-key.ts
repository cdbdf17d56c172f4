import { Api, ApiError } from './api.ts'
import type { Settings } from './settings.ts'

/**
 * Makes the first API key by the bootstrap secret, which opens nothing else and nothing more once there is an admin key.
 *
 * @throws when there is an admin key that deploy.env does not hold
 */
export async function makeFirstKey(
  settings: Settings,
  public_url: string,
  fetch_public: typeof fetch,
): Promise<string> {
  const api = new Api(public_url, settings.BOOTSTRAP_SECRET, fetch_public)
  try {
    const scopes = ['read', 'write', 'send', 'admin']
    const { key } = await api.call<{ key: string }>('POST', '/api-keys', { name: 'first key', scopes })
    return key
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'bootstrap_closed') throw error
    throw new Error('this database has an admin key already: put that key into deploy.env as API_KEY, then run again')
  }
}
