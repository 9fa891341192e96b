import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { createPortal } from 'react-dom'
import { useProblem } from './fetcher.js'

// Notice is the bar above everything while the server gives no GraphQL answer. Trying again asks for the
// schema, which also brings back completion and documentation.
export function Notice() {
  const reason = useProblem()
  const { introspect } = useGraphiQLActions()
  const busy = useGraphiQL(state => state.isIntrospecting)
  if (!reason) return null
  return createPortal(
    <div className="notice" role="alert">
      <span>{reason}</span>
      <button type="button" className="plain" disabled={busy} onClick={() => introspect()}>
        {busy ? 'Trying …' : 'Try again'}
      </button>
    </div>,
    document.getElementById('notice'),
  )
}
