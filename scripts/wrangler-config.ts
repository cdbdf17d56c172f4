import { experimental_readRawConfig } from 'wrangler'

export interface QueueProducer {
  binding: string
  queue: string
}

export interface QueueConsumer {
  queue: string
  max_batch_size?: number
  max_batch_timeout?: number
  max_retries?: number
  dead_letter_queue?: string
}

/** The parts of a wrangler file that our scripts look at; the rest is carried along as it is. */
export interface WranglerConfig {
  name: string
  main: string
  workers_dev?: boolean
  routes?: (string | { pattern: string; custom_domain: boolean })[]
  vars?: Record<string, string>
  services?: { binding: string; service: string }[]
  queues?: { producers?: QueueProducer[]; consumers?: QueueConsumer[] }
  secrets?: { required?: string[] }
  [rest: string]: unknown
}

/** A wrangler file as it is written, no defaults filled in. (wrangler's own type of it does not resolve from outside.) */
export function readWranglerConfig(path: string): WranglerConfig {
  return experimental_readRawConfig({ config: path }).rawConfig
}
