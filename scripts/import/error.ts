/** Something a person at a terminal can put right: printed as one line, without a stack. */
export class ImportError extends Error {
  override name = 'ImportError'
}
