/** How an account fared that was tried without a mail: connection, login, and what the service says of it. */
export interface AccountTest {
  name: string
  ok: boolean
  /** What it answered, for a person to read. */
  answer: string
  /** It works, but not for everything. */
  warning?: string
}
