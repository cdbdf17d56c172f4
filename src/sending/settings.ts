/** The times and sizes of the send loop. Variables of emk-sender, so that a test can shorten them. */
export interface SendSettings {
  /** Recipients marked and sent together: at most so many become `unconfirmed` when a sender dies. */
  group_size: number
  /** A group has its answers by then, or its rows are `unconfirmed`. Below the lease, so no zombie outlives it. In seconds. */
  group_seconds: number
  lease_seconds: number
  /** No group starts later than this after the invocation began (platform limit: 15 minutes of wall time). In seconds. */
  run_seconds: number
  /** A campaign pauses when more than this share of what was tried has failed, 0 to 1; */
  pause_failure_share: number
  /** but not before so many have. */
  pause_failure_least: number
}

export const SEND_SETTINGS: SendSettings = {
  group_size: 20,
  group_seconds: 60,
  lease_seconds: 120,
  run_seconds: 600,
  pause_failure_share: 0.2,
  pause_failure_least: 50,
}

/** @param text - SEND_SETTINGS as JSON with any of the fields, or empty */
export function parseSendSettings(text: string): SendSettings {
  if (!text) return SEND_SETTINGS
  const given: unknown = JSON.parse(text)
  if (typeof given !== 'object' || given === null) throw new Error('SEND_SETTINGS must be a JSON object')
  const settings = { ...SEND_SETTINGS }
  for (const [name, value] of Object.entries(given)) {
    if (!(name in settings)) throw new Error(`SEND_SETTINGS has an unknown field: ${name}`)
    if (typeof value !== 'number' || !(value > 0)) throw new Error(`SEND_SETTINGS.${name} must be a number over 0`)
    settings[name as keyof SendSettings] = value
  }
  if (settings.group_seconds >= settings.lease_seconds) {
    throw new Error('SEND_SETTINGS.group_seconds must be below lease_seconds: a group must end before its lease does')
  }
  return settings
}
