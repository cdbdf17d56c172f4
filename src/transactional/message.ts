/** On `emk-transactional`: a pointer to one mail, never the mail. */
export interface TransactionalPointer {
  mail_id: number
}
