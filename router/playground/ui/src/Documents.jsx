import { DropdownMenu } from '@graphiql/react'
import { config } from './config.js'
import { byId } from './documents.js'
import { useOpenTab } from './tabs.js'

// Documents offers the persisted documents.
export function Documents() {
  const openTab = useOpenTab()
  const sendsId = byId.use()
  if (!config.documents?.length) return null
  return (
    <DropdownMenu>
      <DropdownMenu.Button className="plain" data-testid="documents">Documents</DropdownMenu.Button>
      <DropdownMenu.Content align="end" className="graphiql-dropdown-content documents">
        <DropdownMenu.Item data-testid="by-id" onSelect={() => byId.set(!sendsId)} title="A tab that holds a document's text unchanged sends its documentId instead">
          {sendsId ? '☑' : '☐'} Send ids, not texts
        </DropdownMenu.Item>
        {config.documents.map(document => (
          <DropdownMenu.Item key={document.id} onSelect={() => openTab?.(document)}>
            {document.name || document.id}{document.name && <small>{document.id.slice(0, 16)}</small>}
          </DropdownMenu.Item>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu>
  )
}
