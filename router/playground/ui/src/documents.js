import { config } from './config.js'
import { createStore } from './store.js'

// byId says whether a tab that holds a persisted document as it is sends its id in place of its text.
export const byId = createStore(true)

// persisted replaces the text of a persisted document by its id.
export function persisted({ query, ...params }) {
  const document = byId.get() && config.documents?.find(each => each.query.trim() === query?.trim())
  return document ? { ...params, documentId: document.id } : { query, ...params }
}
