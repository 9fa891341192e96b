import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'

// useOpenTab returns a function that shows an operation: in its tab where that is still open and untouched, else in a
// new one. It is null until the editors are there.
export function useOpenTab() {
  const { addTab, changeTab } = useGraphiQLActions()
  const editors = useGraphiQL(({ tabs, queryEditor, variableEditor, headerEditor }) => ({ tabs, queryEditor, variableEditor, headerEditor }))
  if (!editors.queryEditor || !editors.variableEditor) return null
  return ({ query, variables, headers, anyVariables }) => {
    const at = editors.tabs.findIndex(tab => tab.query === query && (anyVariables || (tab.variables ?? '') === (variables ?? '')))
    if (at >= 0) return changeTab(at)
    addTab()
    editors.queryEditor.setValue(query)
    editors.variableEditor.setValue(variables ?? '')
    editors.headerEditor?.setValue(headers ?? '')
  }
}
