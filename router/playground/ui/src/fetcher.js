import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { getOperationAST, parse } from 'graphql'
import { config, endpoint } from './config.js'
import { message } from './message.js'
import { adoptToken, withToken } from './session.js'
import { streamEvents } from './sse.js'
import { createStore } from './store.js'
import { subscribe } from './websocket.js'

const accept = 'multipart/mixed;deferSpec=20220824, application/graphql-response+json, application/json;q=0.9'

// problem holds why the last request got no GraphQL answer, or '' after one that did.
const problem = createStore('')

export const useProblem = problem.use

function fail(text) {
  problem.set(text)
  throw message(text)
}

// send is fetch with errors that say what to do: the browser's own is "Failed to fetch".
export async function send(url, init) {
  let response
  try {
    response = await fetch(url, init)
  } catch (error) {
    if (error.name === 'AbortError') throw error
    fail(`No answer from ${url}. Is the server running, and does it allow this page to call it?`)
  }
  const type = response.headers.get('content-type') ?? ''
  if (/json|multipart\/mixed|text\/event-stream/.test(type)) {
    problem.set('')
    return response
  }
  const status = `${response.status} ${response.statusText}`.trim() // HTTP/2 sends no text.
  const text = (await response.text()).trim().slice(0, 300)
  fail(`${url} answered ${status} with ${type || 'no content type'}, not with GraphQL.${text && ' It says: ' + text}`)
}

// post sends without the token: whoever logs in may hold one that has expired, and a server
// refuses everything that comes with such a one.
export async function post(params) {
  const response = await send(endpoint.href, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json;q=0.9' },
    body: JSON.stringify(params),
  })
  return response.json()
}

const overHTTP = createGraphiQLFetcher({
  url: endpoint.href,
  headers: { accept },
  fetch: (url, init) => send(url, { ...init, headers: withToken(init.headers) }),
})

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
