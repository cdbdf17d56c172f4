// Which installation a script talks to.
import { readState, STATE_FOLDER } from '../local/state.ts'
import { ImportError } from './import/error.ts'

/**
 * The one that is named, or else the local stack that runs.
 *
 * @throws {ImportError} when neither is there
 */
export async function findInstallation(api_url: string | undefined, api_key: string | undefined) {
  if (api_url && api_key) return { api_url, api_key }
  if (api_url || api_key) throw new ImportError('--api and --key go together')
  const { ports, api_key: local_key } = readState(STATE_FOLDER)
  const local_url = `http://127.0.0.1:${ports?.api}`
  const runs =
    ports &&
    (await fetch(`${local_url}/health`).then(
      () => true,
      () => false,
    ))
  if (!runs || !local_key) throw new ImportError('start the local stack first (npm run dev), or give --api and --key')
  return { api_url: local_url, api_key: local_key }
}
