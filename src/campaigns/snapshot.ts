/** What a campaign sends, fixed at its start: later changes of template or sender do not reach it. */
export interface Snapshot {
  template_id: number
  template_version: number
  subject: string
  preheader: string
  /** Handlebars source; `{{{@pixel}}}` and `{{{@click}}}/<signed link>` are all that is left to fill besides the author's tags. */
  html: string
  text: string
  sender: {
    from_name: string
    from_email: string
    reply_to: string | null
    postal_address: string
    account: string | null
  }
  /** Where /t and /u answer, without a slash at the end. */
  tracking_url: string
  list: { id: number; name: string }
  campaign: { id: number; name: string }
}
