import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { getOperationAST, parse } from 'graphql'
import { config, endpoint } from './config.js'
import { message } from './message.js'
import { adoptToken, withToken } from './session.js'
import { createStore } from './store.js'
import { subscribe } from './websocket.js'
import { streamEvents } from './sse.js'

const accept = 'multipart/mixed;deferSpec=20220824, application/graphql-response+json, application/json;q=0.9'

// unreachable holds why the last request got no answer, or '' after one that did.
const unreachable = createStore('')

export const useUnreachable = unreachable.use

// send is fetch with errors that say what to do: the browser's own is "Failed to fetch".
export async function send(url, init) {
  let response
  try {
    response = await fetch(url, { ...init, headers: withToken(init.headers) })
  } catch (error) {
    if (error.name === 'AbortError') throw error
    unreachable.set(`No answer from ${url}. Is the server running, and does it allow this page to call it?`)
    throw message(unreachable.get())
  }
  unreachable.set('')
  const type = response.headers.get('content-type') ?? ''
  if (/json|multipart\/mixed|text\/event-stream/.test(type)) return response
  const text = (await response.text()).trim().slice(0, 300)
  throw message(`${url} answered ${response.status} ${response.statusText} with ${type || 'no content type'}, not with GraphQL.${text && ' It says: ' + text}`)
}

export async function post(params) {
  const response = await send(endpoint.href, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json;q=0.9' },
    body: JSON.stringify(params),
  })
  return response.json()
}

const overHTTP = createGraphiQLFetcher({ url: endpoint.href, headers: { accept }, fetch: send })

async function* watched(results) {
  for await (const result of results) {
    for (const part of Array.isArray(result) ? result : [result]) adoptToken(part)
    yield result
  }
}

// chosen finds the operation to run. Just after a change of tabs GraphiQL still names the operation
// of the tab before, so a document's only operation counts whatever the name says.
function chosen({ query, operationName }) {
  try {
    const document = parse(query)
    return getOperationAST(document) ?? getOperationAST(document, operationName)
  } catch {
    return null // The server's syntax error is worth more to the reader than ours.
  }
}

// fetcher is what GraphiQL calls for every operation, introspection included.
export async function fetcher(params, options) {
  const operation = chosen(params)
  if (operation) params = { ...params, operationName: operation.name?.value }
  if (operation?.operation === 'subscription') {
    const over = config.subscriptionProtocol === 'sse' ? streamEvents : subscribe
    return over(params, options?.headers)
  }
  const answer = await overHTTP(params, options)
  return answer?.[Symbol.asyncIterator] ? watched(answer) : answer
}
