// The least that a Worker can do: the same answer to everybody, made of constants.
const GIF = Uint8Array.from(atob('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=='), (c) =>
  c.charCodeAt(0),
)

export default {
  fetch(request: Request, env: { LOCATION: string }): Response {
    if (request.url.includes('/t/o/')) {
      return new Response(GIF, { headers: { 'Content-Type': 'image/gif', 'Content-Length': String(GIF.length) } })
    }
    return new Response(null, { status: 302, headers: { Location: env.LOCATION } })
  },
}
