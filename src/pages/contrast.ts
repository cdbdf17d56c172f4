/** What stands on a coloured button: one of these reaches 4.5:1 on every colour (WCAG 2.2, 1.4.3). */
const LIGHT = '#ffffff'
const DARK = '#000000'

/** The text colour that is easier to read on a colour. @param color - `#rrggbb` */
export const textOn = (color: string): string => (contrast(color, LIGHT) >= contrast(color, DARK) ? LIGHT : DARK)

/** What text needs on its ground (WCAG 2.2, 1.4.3), and more than an edge needs (1.4.11). */
const READABLE = 4.5

/** The colour itself where it can be read on a ground, else as much of it as can. Both `#rrggbb`. */
export function readableOn(ground: string, color: string): string {
  const away = textOn(ground)
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(color, away, share)
    if (contrast(mixed, ground) >= READABLE) return mixed
  }
  return away
}

/** @param share - of the second colour, 0 to 1 */
function mix(a: string, b: string, share: number): string {
  const [x, y] = [channels(a), channels(b)]
  return `#${x
    .map((value, i) => Math.round(value + ((y[i] ?? 0) - value) * share))
    .map((value) => value.toString(16).padStart(2, '0'))
    .join('')}`
}

/** Red, green and blue, 0 to 255. */
const channels = (color: string) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))

/** WCAG 2.2's contrast ratio of two colours `#rrggbb`, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)]
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}

/** Relative luminance in sRGB, 0 to 1. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = channels(color).map((channel) => {
    const value = channel / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
