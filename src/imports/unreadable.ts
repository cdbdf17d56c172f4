/** A file that cannot be imported at all. The message is for the person who sent it. */
export class UnreadableFile extends Error {
  override name = 'UnreadableFile'
}
