import * as z from 'zod'
import { named, scopes, time } from '../http/schema.ts'

const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^\P{Cc}*$/u, 'must be one line, without control characters')

export const newKey = named('NewApiKey', z.strictObject({ name, scopes }))

const key = {
  id: z.int(),
  name: z.string(),
  prefix: z.string().meta({ description: 'How the key begins: enough to recognise it by' }),
  scopes,
  created_at: time,
  last_used_at: time.nullable().meta({ description: 'To the minute' }),
}

export const apiKey = named('ApiKey', z.strictObject(key))
export const createdKey = named(
  'CreatedApiKey',
  z.strictObject({ ...key, key: z.string().meta({ description: 'The key itself, shown only now' }) }),
)
