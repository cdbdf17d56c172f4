/**
 * One structured line in the Worker's log. Ids, counts and codes only: never an address, a name or a secret.
 *
 * @param event - what happened, in snake_case
 */
export function log(event: string, fields: Record<string, string | number | boolean | null>): void {
  console.log(JSON.stringify({ event, ...fields }))
}
