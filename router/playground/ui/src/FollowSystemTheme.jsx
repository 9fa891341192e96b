import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { useEffect } from 'react'

const dark = matchMedia('(prefers-color-scheme: dark)')

// FollowSystemTheme recolours the editors when the system turns dark or light while the page is
// open: GraphiQL's style sheet follows by itself, its editors only look when the theme is set.
export function FollowSystemTheme() {
  const theme = useGraphiQL(state => state.theme)
  const { setTheme } = useGraphiQLActions()
  useEffect(() => {
    if (theme !== null) return
    const follow = () => setTheme(null)
    dark.addEventListener('change', follow)
    return () => dark.removeEventListener('change', follow)
  }, [theme, setTheme])
  return null
}
