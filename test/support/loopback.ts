// Set-up of every test inside workerd: only this computer is reachable; a request to anywhere else is a fault of the test.
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

const reach = globalThis.fetch

globalThis.fetch = (input, init) => {
  const { hostname, origin } = new URL(input instanceof Request ? input.url : input)
  if (!LOOPBACK.has(hostname)) return Promise.reject(new Error(`a test reached for ${origin}`))
  return reach(input, init)
}
