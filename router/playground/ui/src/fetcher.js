import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { getOperationAST, parse } from 'graphql'
import { config, endpoint } from './config.js'
import { persisted } from './documents.js'
import { message } from './message.js'
import { activeTab, asking, fetchPlan, open, take } from './plan.js'
import { adoptToken, withToken } from './session.js'
import { streamEvents } from './sse.js'
import { createStore } from './store.js'
import { subscribe } from './websocket.js'

// The two formats of @defer that GraphiQL merges: Apollo's, and that of the specification's draft.
const accept = 'multipart/mixed;deferSpec=20220824, multipart/mixed;incrementalSpec=v0.2;q=0.95, application/graphql-response+json, application/json;q=0.9'

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

// watched sees results before GraphiQL does. It is no generator, for that would not stop before its next result.
function watched(results, tab) {
  const iterator = results[Symbol.asyncIterator]()
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      const step = await iterator.next()
      for (const part of step.done ? [] : [step.value].flat()) {
        adoptToken(part)
        take(part, tab)
      }
      return step
    },
    return: () => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }),
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

// named is what is sent of an operation, and the operation as it was parsed.
export function named(params) {
  const operation = chosen(params)
  const sent = persisted(operation ? { ...params, operationName: operation.name?.value } : params)
  return { operation, params: sent }
}

// fetcher is what GraphiQL calls for every operation, introspection included.
export async function fetcher(given, options) {
  const { operation, params } = named(given)
  if (params.operationName === 'IntrospectionQuery') return overHTTP(params, options)
  const tab = activeTab.get()
  const headers = asking(options?.headers)
  if (operation?.operation !== 'subscription') return watched(await overHTTP(params, { ...options, headers }), tab)
  if (config.subscriptionProtocol === 'sse') return watched(streamEvents(params, headers), tab)
  // A socket carries no headers, so the plan comes beside it, without times. That it may fail is the operation's to say.
  if (open.get()) fetchPlan(params, options?.headers, tab).catch(() => {})
  return watched(subscribe(params, options?.headers), tab)
}
