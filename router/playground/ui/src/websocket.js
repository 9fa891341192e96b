import { createClient } from 'graphql-ws'
import { subscriptionURL } from './config.js'
import { message } from './message.js'
import { withToken } from './session.js'

// subscribe runs one operation by the graphql-transport-ws protocol, on a socket of its own: the
// token and headers travel in connection_init, so each operation gets those of its moment. The
// client closes the socket with its only operation. The iterator is not a generator, for that
// would not stop before its next result.
export function subscribe(params, headers) {
  const url = subscriptionURL().href
  const client = createClient({ url, connectionParams: () => withToken(headers), retryAttempts: 0 })
  const results = client.iterate(params)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next: () => results.next().catch(error => Promise.reject(explain(error, url))),
    return: () => results.return(),
  }
}

function explain(error, url) {
  if (typeof error.code === 'number') {
    return message(`The socket to ${url} was closed with ${error.code}: ${error.reason || 'no reason given'}`)
  }
  if (error instanceof Event) return message(`No connection to ${url}. Is the server running, and does it speak graphql-transport-ws?`)
  return error
}
