import { createClient } from 'graphql-ws'
import { subscriptionURL } from './config.js'
import { message } from './message.js'
import { withToken } from './session.js'

// subscribe runs one operation by the graphql-transport-ws protocol, on a socket of its own: the
// token and headers travel in connection_init, so each operation gets those of its moment.
export async function* subscribe(params, headers) {
  const url = subscriptionURL().href
  const client = createClient({ url, connectionParams: () => withToken(headers), retryAttempts: 0 })
  try {
    yield* client.iterate(params)
  } catch (error) {
    throw explain(error, url)
  } finally {
    await client.dispose()
  }
}

function explain(error, url) {
  if (typeof error.code === 'number') {
    const reason = error.reason || (error.code === 1006 ? 'no connection: is the server running?' : 'no reason given')
    return message(`The socket to ${url} was closed with ${error.code}: ${reason}`)
  }
  if (error instanceof Event) return message(`No connection to ${url}. Is the server running, and does it speak graphql-transport-ws?`)
  return error
}
