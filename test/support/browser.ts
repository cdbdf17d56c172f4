// Debian's Chromium, driven from the tests. Nothing is downloaded: where it is not installed, its tests are skipped.
import { existsSync } from 'node:fs'
import { crc32, deflateSync } from 'node:zlib'
import { type Browser, chromium } from 'playwright-core'

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Where Chromium is, or undefined. */
export const CHROMIUM = [process.env.CHROMIUM_PATH ?? '', ...PATHS].find((path) => path !== '' && existsSync(path))

/** Why a test did not run. */
export const NO_CHROMIUM = `Chromium is not installed (looked for ${PATHS.join(', ')}; CHROMIUM_PATH names another)`

export function openBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error(NO_CHROMIUM)
  // What is painted is not looked at: neither a graphics process nor a process for each page is worth its start.
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--disable-gpu', '--disable-software-rasterizer', '--renderer-process-limit=1'],
  })
}

/** A grey picture of this many pixels. */
export function pngOf(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // 8 bits a sample, of which there is one a pixel; each line begins with a byte for its filter.
  header[8] = 8
  const lines = Buffer.alloc((width + 1) * height, 0x9a)
  for (let line = 0; line < height; line++) lines[line * (width + 1)] = 0
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}
