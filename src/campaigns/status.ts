/**
 * draft -> (scheduled) -> sending -> sent, with paused in between and cancelled as the other end.
 * Every change is one conditional UPDATE that names the states it may come from.
 */
export const CAMPAIGN_STATUSES = ['draft', 'scheduled', 'sending', 'paused', 'sent', 'cancelled'] as const
export type CampaignStatus = (typeof CAMPAIGN_STATUSES)[number]
