const CR = 13
const LF = 10
const DOT = 46

/**
 * A message as it goes after 354: every line ends in CRLF, a leading dot is doubled (RFC 5321 4.5.2), the last line is
 * ended, and the dot that ends the data follows. A message that needs no change is copied as it is.
 */
export function wireData(message: Uint8Array): Uint8Array {
  let extra = 0
  let last = LF
  for (let i = 0; i < message.length; i++) {
    const byte = message[i] as number
    if (byte === LF) {
      if (last !== CR) extra++
    } else {
      if (last === CR) extra++
      if (byte === DOT && (last === LF || last === CR)) extra++
    }
    last = byte
  }
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
