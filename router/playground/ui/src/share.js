const secret = /password|secret|token/i

// withoutSecrets is the text of variables with the values of what looks like a secret left empty. Text that is no JSON is
// left as it is: it can't be run either.
export function withoutSecrets(text) {
  try {
    const found = { any: false }
    const value = JSON.parse(text, (name, value) => {
      if (!secret.test(name) || typeof value !== 'string') return value
      found.any = true
      return ''
    })
    return found.any ? JSON.stringify(value, null, 2) : text
  } catch {
    return text
  }
}

// shareLink is the address of this page with an operation in its fragment, which no server sees. Headers and the token
// are never in it.
export function shareLink(query, variables) {
  const parts = new URLSearchParams({ query })
  if (variables?.trim()) parts.set('variables', withoutSecrets(variables))
  return `${location.origin}${location.pathname}#${parts}`
}

// shared is the operation in an address, or null.
export function shared(hash) {
  const parts = new URLSearchParams(hash.replace(/^#/, ''))
  return parts.get('query') ? { query: parts.get('query'), variables: parts.get('variables') ?? '' } : null
}
