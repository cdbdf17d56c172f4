// Cron, which wrangler does not run by itself.

export interface Ticker {
  /** Runs cron once and waits for its end. */
  tick(): Promise<void>
  stop(): Promise<void>
}

/** @param seconds - between two runs; 0: only on demand */
export function startTicker(api_url: string, seconds: number, onError: (error: unknown) => void): Ticker {
  let last: Promise<void> = Promise.resolve()
  let busy = false
  // One after the other: a run on demand waits for one that is under way, and then really runs.
  const tick = () => {
    last = last.catch(() => {}).then(() => run(api_url))
    return last
  }
  const timer = setInterval(
    async () => {
      if (busy) return
      busy = true
      await tick().catch(onError)
      busy = false
    },
    seconds * 1000 || 2 ** 31 - 1,
  )
  return {
    tick,
    async stop() {
      clearInterval(timer)
      await last.catch(() => {})
    },
  }
}

async function run(api_url: string): Promise<void> {
  const response = await fetch(`${api_url}/cdn-cgi/local/scheduled?cron=*+*+*+*+*`)
  const text = await response.text()
  if (!response.ok) throw new Error(`cron answered ${response.status}: ${text}`)
}
