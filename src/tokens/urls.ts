// Where the tokens go. `tracking_url` is without a slash at the end.

/** The pixel's address. The ending tells mail clients that it is an image; the edge takes it with and without. */
export const openUrl = (tracking_url: string, open_token: string) => `${tracking_url}/t/o/${open_token}.gif`

/** What stands before `/<link half>` in every tracked link of one mail, whichever kind of half. */
export const clickBase = (tracking_url: string, click_token: string) => `${tracking_url}/t/c/${click_token}`

/** The unsubscribe page, and what a List-Unsubscribe header names. */
export const unsubscribeUrl = (tracking_url: string, unsubscribe_token: string) =>
  `${tracking_url}/u/${unsubscribe_token}`

/** The mail as a page, at emk-api: `public_url` is where that answers, without a slash at the end. */
export const webViewUrl = (public_url: string, view_token: string) => `${public_url}/v/${view_token}`

/** What a reader gets, and may change; at emk-api, too. */
export const preferencesUrl = (public_url: string, preferences_token: string) =>
  `${public_url}/preferences/${preferences_token}`

/** Where somebody gets their data, or has it erased, at emk-api. */
export const dataUrl = (public_url: string, what: 'export' | 'erase', data_token: string) =>
  `${public_url}/data/${what}/${data_token}`

/** A campaign's report, at emk-api, too. */
export const reportUrl = (public_url: string, report_token: string) => `${public_url}/reports/${report_token}`

/** Where a sign-up is confirmed, at emk-api. */
export const confirmUrl = (public_url: string, confirm_token: string) => `${public_url}/confirm/${confirm_token}`
