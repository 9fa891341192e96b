import { subscriptionURL } from './config.js'
import { send } from './fetcher.js'
import { message } from './message.js'
import { withToken } from './session.js'

// streamEvents runs one operation by GraphQL over SSE in distinct connections mode: a POST whose
// answer is an event stream of "next" events, ended by "complete". EventSource can neither POST
// nor send a token, so the stream is read by hand. Returning from it ends the request at once,
// also while the next event is awaited.
export function streamEvents(params, headers) {
  const abort = new AbortController()
  const results = read(params, headers, abort.signal)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      try {
        return await results.next()
      } catch (error) {
        if (abort.signal.aborted) return { done: true, value: undefined }
        throw error
      }
    },
    async return() {
      abort.abort()
      return { done: true, value: undefined }
    },
  }
}

async function* read(params, headers, signal) {
  const response = await send(subscriptionURL().href, {
    method: 'POST',
    headers: withToken({ 'content-type': 'application/json', accept: 'text/event-stream', ...headers }),
    body: JSON.stringify(params),
    signal,
  })
  if (!response.headers.get('content-type').includes('text/event-stream')) {
    yield await response.json() // Refused before the stream began: errors as plain JSON.
    return
  }
  for await (const { event, data } of events(response.body)) {
    if (event === 'complete') return
    if (event === 'next') yield JSON.parse(data)
  }
  throw message('The event stream ended before the operation was complete.')
}

async function* events(body) {
  let pending = ''
  for await (const chunk of chunks(body.pipeThrough(new TextDecoderStream()))) {
    const blocks = (pending + chunk).split(/\r?\n\r?\n/)
    pending = blocks.pop()
    for (const block of blocks) yield parseEvent(block)
  }
}

// Not every browser can iterate a ReadableStream.
async function* chunks(stream) {
  const reader = stream.getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value
}

function parseEvent(block) {
  const event = { event: 'message', data: '' }
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = /^(event|data): ?(.*)$/.exec(line) ?? []
    if (field === 'event') event.event = value
    if (field === 'data') event.data += (event.data && '\n') + value
  }
  return event
}
