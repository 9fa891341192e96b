import { useGraphiQL } from '@graphiql/react'
import { useEffect, useState } from 'react'
import { shared, shareLink } from './share.js'
import { useOpenTab } from './tabs.js'

// Share copies a link to the operation in the tab, and opens the one that the page was called with.
export function Share() {
  const editors = useGraphiQL(({ queryEditor, variableEditor }) => ({ queryEditor, variableEditor }))
  const [said, say] = useState('')
  useShared()
  useEffect(() => {
    if (!said) return
    const timer = setTimeout(() => say(''), 3000)
    return () => clearTimeout(timer)
  }, [said])

  async function share() {
    const link = shareLink(editors.queryEditor?.getValue() ?? '', editors.variableEditor?.getValue())
    // Where nothing may be copied, the address bar has it.
    history.replaceState(null, '', link)
    await navigator.clipboard?.writeText(link).then(() => say('Link copied'), () => say('Link is in the address bar')) ?? say('Link is in the address bar')
  }

  return (
    <button type="button" className="plain" data-testid="share" onClick={share} title="A link to this query and its variables, without headers, token and passwords">
      {said || 'Share'}
    </button>
  )
}

// useShared opens the operation in the page's address: once, and whenever the address gets another one.
function useShared() {
  const openTab = useOpenTab()
  const [address, setAddress] = useState(location.hash)
  useEffect(() => {
    const changed = () => setAddress(location.hash)
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  useEffect(() => {
    const operation = openTab && shared(address)
    if (!operation) return
    setAddress('')
    history.replaceState(null, '', location.pathname + location.search)
    openTab(operation)
  })
}
