/**
 * The same text with memory of its own. What was cut from a longer text holds on to all of it: a few letters that are
 * remembered would keep the whole piece of a file that they came with.
 */
export const detached = (text: string): string => Array.from(text).join('')
