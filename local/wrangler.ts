import { fileURLToPath } from 'node:url'

/** The pinned wrangler's own script, to be run by the Node that runs us (its package exports no path to it). */
export const WRANGLER = fileURLToPath(new URL('../node_modules/wrangler/bin/wrangler.js', import.meta.url))
