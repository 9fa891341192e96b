import { GraphiQL } from 'graphiql'
import 'graphiql/style.css'
import { createRoot } from 'react-dom/client'
import { config } from './config.js'
import { Documents } from './Documents.jsx'
import { Examples } from './Examples.jsx'
import { fetcher } from './fetcher.js'
import { FollowSystemTheme } from './FollowSystemTheme.jsx'
import './monaco.js'
import { Notice } from './Notice.jsx'
import { PlanButton, PlanPanel } from './PlanPanel.jsx'
import { refreshTabs } from './restored.js'
import { Session } from './Session.jsx'
import { Share } from './Share.jsx'
import './style.css'

const tabs = config.tabs?.map(({ query, variables, headers }) => ({ query, variables, headers })) ?? []

refreshTabs(config.tabs ?? [])

// GraphiQL opens the first of its default tabs without variables and headers, unless told again.
// From the second visit on it restores what the visitor left.
const first = localStorage.getItem('graphiql:tabState') ? undefined : tabs[0]

createRoot(document.getElementById('playground')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultTabs={tabs.length ? tabs : undefined}
    initialVariables={first?.variables}
    initialHeaders={first?.headers}
    defaultEditorToolsVisibility={tabs.some(tab => tab.variables) ? 'variables' : undefined}
    shouldPersistHeaders
  >
    <GraphiQL.Logo>
      <div className="header">
        <PlanButton />
        <Share />
        <Documents />
        <Examples />
        <Session />
        <span className="title">{config.title}</span>
        <Notice />
        <FollowSystemTheme />
        <PlanPanel />
      </div>
    </GraphiQL.Logo>
  </GraphiQL>,
)
