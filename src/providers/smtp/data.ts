const CR = 13
const LF = 10
const DOT = 46

/**
 * A message as it goes after 354: every line ends in CRLF, a leading dot is doubled (RFC 5321 4.5.2), the last line is
 * ended, and the dot that ends the data follows. A message that needs no change is copied as it is.
 */
export function wireData(message: Uint8Array): Uint8Array {
  const extra = missingBytes(message)
  let last = message.at(-1) ?? LF
  const out = new Uint8Array(message.length + extra + 5)
  let at = 0
  if (extra === 0) {
    out.set(message)
    at = message.length
  } else {
    last = LF
    for (let i = 0; i < message.length; i++) {
      const byte = message[i] as number
      if (byte === LF && last !== CR) out[at++] = CR
      if (byte !== LF && last === CR) out[at++] = LF
      if (byte === DOT && (last === LF || last === CR)) out[at++] = DOT
      out[at++] = byte
      last = byte
    }
  }
  if (last === CR) out[at++] = LF
  else if (last !== LF) {
    out[at++] = CR
    out[at++] = LF
  }
  out[at++] = DOT
  out[at++] = CR
  out[at++] = LF
  return out.subarray(0, at)
}

/** How many line feeds, carriage returns and dots have to be added before the end; one too many for a CR at the end. */
function missingBytes(message: Uint8Array): number {
  let missing = message[0] === DOT ? 1 : 0
  for (let i = 0; i < message.length; i++) {
    const byte = message[i] as number
    // Nearly every byte of every mail of a campaign ends here.
    if (byte > CR || (byte !== CR && byte !== LF)) continue
    const next = message[i + 1]
    if (byte === CR ? next !== LF : i === 0 || message[i - 1] !== CR) missing++
    if (next === DOT) missing++
  }
  return missing
}
