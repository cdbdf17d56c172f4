import { eq } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { Brand } from '../pages/brand.ts'
import { settings } from './table.ts'

/** What public pages show of the house. */
export async function readBrand(db: Database): Promise<Brand> {
  const { brand_name, brand_logo_url, brand_color, home_url, privacy_url } = settings
  const [brand] = await db
    .select({ brand_name, brand_logo_url, brand_color, home_url, privacy_url })
    .from(settings)
    .where(eq(settings.id, 1))
  if (!brand) throw new Error('the settings row, made by the first migration, is missing')
  return brand
}
