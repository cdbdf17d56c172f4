import { defineConfig } from 'drizzle-kit'

// Migrations are generated into drizzle/ and applied by scripts/migrate.ts over the direct (not pooled) URL.
export default defineConfig({ dialect: 'postgresql', schema: './src/**/table.ts', out: './drizzle' })
