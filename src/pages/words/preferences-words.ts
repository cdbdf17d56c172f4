/** The page on which people choose what they get. */
export interface PreferencesWords {
  title: string
  /** {address}, all but unreadable */
  for_address: string
  lists: string
  no_lists: string
  /** What is agreed to by ticking a list that has no wording of its own; kept as proof. {list} */
  consent: string

  pause: string
  pause_help: string
  pause_none: string
  /** {date} */
  pause_keep: string
  pause_week: string
  pause_month: string
  pause_quarter: string
  pause_end: string

  all: string
  all_choice: string
  all_help: string
  /** Asked of whoever leaves anything. */
  reason: string
  reason_none: string
  reason_too_many: string
  reason_not_relevant: string
  reason_never_asked: string
  reason_other: string
  reason_text: string

  save: string

  unsubscribed: string
  bounced: string
  complained: string
  /** A box that whoever complained must tick to come back. */
  again: string
  blocked: string
  /** An opt-out is on its way. */
  leaving: string

  saved_title: string
  /** {list} */
  now_on: string
  /** {list} */
  now_off: string
  /** {list} */
  not_on: string
  all_off: string
  /** {date} */
  paused: string
  resumed: string
  back: string

  nothing_title: string
  nothing: string
  unclear: string
  unknown_list: string
  again_needed: string
  stale: string
  too_soon_title: string
  too_soon: string
  later_title: string
  later: string
  broken_title: string
  broken: string
  gone_title: string
  gone: string
  test_title: string
  test: string
  old_title: string
  old: string
  old_leave: string
}

/** What people do with their own data. */
export interface DataWords {
  title: string
  /** {address}, all but unreadable */
  intro: string
  ask_export: string
  ask_erase: string

  asked_title: string
  /** {address}, all but unreadable */
  asked: string
  limit_title: string
  limit: string
  unreachable_title: string
  unreachable: string

  export_subject: string
  export_mail: string
  export_mail_button: string
  erase_subject: string
  erase_mail: string
  erase_mail_button: string
  mail_small: string

  export_title: string
  export_text: string
  export_button: string
  erase_title: string
  erase_text: string
  erase_button: string
  erased_title: string
  erased: string
  expired_title: string
  expired: string
}
