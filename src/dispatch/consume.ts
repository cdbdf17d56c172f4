import { log } from '../log.ts'
import { type Dispatcher, dispatchCampaign } from './dispatch.ts'
import type { Delivered, DispatchMessage } from './message.ts'

/** The queue asks again after so many seconds when a campaign could not be worked on. */
const TROUBLE = 30

/** One invocation of the `emk-dispatch` consumer. Never throws: a throw would bring back every message of it. */
export async function consumeDispatch(d: Dispatcher, messages: readonly Delivered<DispatchMessage>[]): Promise<void> {
  for (const message of messages) {
    try {
      await dispatchCampaign(d, message.body)
      message.ack()
    } catch (error) {
      log('dispatch_failed', {
        campaign_id: message.body.campaign_id,
        error: error instanceof Error ? error.name : 'unknown',
      })
      message.retry({ delaySeconds: TROUBLE })
    }
  }
}

/** Tried a hundred times. Nothing is lost: the sweep restarts a freeze that stands still. */
export function consumeDeadDispatch(messages: readonly Delivered<DispatchMessage>[]): void {
  for (const message of messages) {
    log('dispatch_dead', { campaign_id: message.body.campaign_id })
    message.ack()
  }
}
