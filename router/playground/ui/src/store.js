import { useSyncExternalStore } from 'react'

// createStore is a value that both React components (use) and plain functions (get, set) share.
export function createStore(value) {
  const listeners = new Set()
  const subscribe = listener => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const get = () => value
  return {
    get,
    set(next) {
      value = next
      for (const listener of listeners) listener()
    },
    use: () => useSyncExternalStore(subscribe, get),
  }
}
