import { config } from './config.js'
import { createStore } from './store.js'

const key = 'playground:token'

// The token lives as long as the browser tab: a reload keeps it, a new tab starts anonymous.
const token = createStore(sessionStorage.getItem(key) ?? '')

export const useToken = token.use

export function signIn(value) {
  const bare = value.trim().replace(/^Bearer\s+/i, '')
  sessionStorage.setItem(key, bare)
  token.set(bare)
}

export function signOut() {
  sessionStorage.removeItem(key)
  token.set('')
}

// A header typed into the headers editor wins: it is the more deliberate of the two.
export function withToken(headers = {}) {
  const named = Object.keys(headers).some(name => name.toLowerCase() === 'authorization')
  return token.get() && !named ? { ...headers, Authorization: `Bearer ${token.get()}` } : headers
}

function valueAt(result, path) {
  return path.split('.').reduce((value, step) => value?.[step], result)
}

function firstString(result, paths) {
  return (paths ?? []).map(path => valueAt(result, path)).find(value => typeof value === 'string' && value !== '')
}

// adoptToken signs in with the token that an operation returned at one of the configured paths,
// whether the sign-in form or a tab sent it.
export function adoptToken(result) {
  const found = firstString(result, config.login?.tokenPaths)
  if (found) signIn(found)
  return Boolean(found)
}

export function loginError(result) {
  return (
    result.errors?.[0]?.message ??
    firstString(result, config.login.errorPaths) ??
    `The answer holds no token at ${config.login.tokenPaths.join(' or ')}.`
  )
}

// claims reads what a JSON Web Token says about itself, unverified: for display only.
// Opaque tokens have none.
export function claims(value) {
  try {
    const payload = value.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')
    const bytes = Uint8Array.from(atob(payload), char => char.charCodeAt(0))
    return JSON.parse(new TextDecoder().decode(bytes)) ?? {}
  } catch {
    return {}
  }
}
