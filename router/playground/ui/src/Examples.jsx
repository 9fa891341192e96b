import { DropdownMenu } from '@graphiql/react'
import { config } from './config.js'
import { useOpenTab } from './tabs.js'

// Examples brings back any example operation.
export function Examples() {
  const openTab = useOpenTab()
  if (!config.tabs?.length) return null
  // An example counts as open whatever its variables are by now.
  const open = ({ query, variables, headers }) => openTab?.({ query, variables, headers, anyVariables: true })
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
