// What the router rendered into the page: see Config in playground.go for the meaning of each field.
export const config = JSON.parse(document.getElementById('config').textContent)

export const endpoint = new URL(config.endpoint, location.href)

// subscriptionURL keeps the page's security: a page loaded over TLS opens its socket over TLS.
export function subscriptionURL() {
  const url = new URL(config.subscriptionURL || config.endpoint, location.href)
  if (config.subscriptionProtocol !== 'sse') url.protocol = url.protocol.replace('http', 'ws')
  return url
}
