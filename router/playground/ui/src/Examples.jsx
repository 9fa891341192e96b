import { DropdownMenu, useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { config } from './config.js'

// Examples brings back any example operation: to its tab where that is still open and untouched,
// else in a new one.
export function Examples() {
  const { addTab, changeTab } = useGraphiQLActions()
  const editors = useGraphiQL(({ tabs, queryEditor, variableEditor, headerEditor }) => ({ tabs, queryEditor, variableEditor, headerEditor }))
  if (!config.tabs?.length) return null

  function open(example) {
    const at = editors.tabs.findIndex(tab => tab.query === example.query)
    if (at >= 0) return changeTab(at)
    addTab()
    editors.queryEditor?.setValue(example.query)
    editors.variableEditor?.setValue(example.variables ?? '')
    editors.headerEditor?.setValue(example.headers ?? '')
  }

  return (
    <DropdownMenu>
      <DropdownMenu.Button className="plain" data-testid="examples">Examples</DropdownMenu.Button>
      <DropdownMenu.Content align="end" className="graphiql-dropdown-content">
        {config.tabs.map((example, index) => (
          <DropdownMenu.Item key={index} onSelect={() => open(example)}>
            {example.name || `Example ${index + 1}`}
          </DropdownMenu.Item>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu>
  )
}
