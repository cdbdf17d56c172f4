/** A filter tree over subscribers, as it is stored and comes by API; schema.ts checks it, compile.ts makes SQL of it. */
export type Filter = { and: Filter[] } | { or: Filter[] } | { not: Filter } | { [condition: string]: unknown }
