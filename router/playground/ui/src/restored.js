const key = 'playground:examples'
const same = (a, b) => a.query === b.query && (a.variables ?? '') === (b.variables ?? '')
const stored = name => JSON.parse(localStorage.getItem(name))

// refreshTabs brings the tabs that GraphiQL restores from the last visit up to date: one that was left as the examples
// had it then shows the example of that name as it is now. A server that begins anew has other ids in its examples.
export function refreshTabs(examples) {
  try {
    const before = stored(key)
    localStorage.setItem(key, JSON.stringify(examples))
    const state = stored('graphiql:tabState')
    if (!before || !state) return
    const shown = { query: localStorage.getItem('graphiql:query'), variables: localStorage.getItem('graphiql:variables') }
    for (const tab of state.tabs) {
      const left = before.find(example => same(example, tab))
      const now = left && examples.find(example => example.name === left.name)
      if (!now) continue
      Object.assign(tab, { query: now.query, variables: now.variables ?? '' })
      // GraphiQL keeps what the open tab shows a second time.
      if (!same(left, shown)) continue
      localStorage.setItem('graphiql:query', tab.query)
      localStorage.setItem('graphiql:variables', tab.variables)
    }
    localStorage.setItem('graphiql:tabState', JSON.stringify(state))
    showAgain(state.tabs[state.activeTabIndex])
  } catch {
    // What is stored is not readable: GraphiQL then begins anew too.
  }
}

// showAgain completes what GraphiQL keeps a second time of the open tab: only what was edited is in it, and the editors
// would be empty where nothing was.
function showAgain(tab) {
  for (const part of ['query', 'variables', 'headers']) {
    if (tab?.[part] && localStorage.getItem(`graphiql:${part}`) === null) localStorage.setItem(`graphiql:${part}`, tab[part])
  }
}
