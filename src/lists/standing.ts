import { type FieldError, Problem } from '../http/problem.ts'
import type { Standing } from './store.ts'

/**
 * Refuses a list that would stand open to the public without what that takes.
 *
 * @throws {Problem} validation_failed, with every field that is missing
 */
export function mustStand({ visibility, opt_in, consent_wording, sender_id, house_sender_id }: Standing): void {
  if (visibility === 'private') return
  const errors: FieldError[] = []
  if (consent_wording === null) {
    errors.push({
      field: 'consent_wording',
      detail: 'is required of a public list: what people agree to when they sign up',
    })
  }
  if (opt_in === 'double' && sender_id === null && house_sender_id === null) {
    errors.push({
      field: 'sender_id',
      detail: 'is required of a public list with double opt-in, here or in the settings: who confirmations are from',
    })
  }
  const [first] = errors
  if (first) throw new Problem('validation_failed', `${first.field} ${first.detail}`, { errors })
}
