/** What a key may do: look, change data, start or stop sending, manage keys and settings. */
export const SCOPES = ['read', 'write', 'send', 'admin'] as const
export type Scope = (typeof SCOPES)[number]
