import { useGraphiQL } from '@graphiql/react'
import { useEffect, useState } from 'react'
import { createPortal } from 'react-dom'
import { config } from './config.js'
import { named } from './fetcher.js'
import { activeTab, fetchPlan, open, plans, toggle } from './plan.js'
import { PlanDetail } from './PlanDetail.jsx'
import { PlanGraph } from './PlanGraph.jsx'
import { PlanTimeline } from './PlanTimeline.jsx'
import { duration } from './units.js'

// PlanButton opens and closes the panel.
export function PlanButton() {
  const shown = open.use()
  if (!config.explain) return null
  return (
    <button type="button" className="plain" data-testid="plan" aria-pressed={shown} onClick={toggle}
      title="Show how the router answers: every run is explained while this is on">
      Plan
    </button>
  )
}

// PlanPanel stands below GraphiQL's response.
export function PlanPanel() {
  const shown = open.use()
  const tab = useGraphiQL(state => state.tabs[state.activeTabIndex]?.id)
  const host = useHost(Boolean(config.explain) && shown)
  useEffect(() => activeTab.set(tab), [tab])
  if (!host) return null
  return createPortal(<Panel key={tab} tab={tab} />, host)
}

// useHost is an element at the end of GraphiQL's response, while it is wanted.
function useHost(wanted) {
  const [host, setHost] = useState(null)
  useEffect(() => {
    const response = wanted && document.querySelector('.graphiql-response')
    if (!response) return
    const element = document.createElement('div')
    element.className = 'plan-host'
    response.append(element)
    setHost(element)
    return () => {
      element.remove()
      setHost(null)
    }
  }, [wanted])
  return host
}

function Panel({ tab }) {
  const plan = plans.use()[tab]
  const [selected, select] = useState(null)
  return (
    <section className="plan" data-testid="plan-panel" aria-label="Query plan">
      <header>
        <strong>Plan</strong>
        <span className="summary">{plan ? summary(plan) : 'Run the operation to see how it is answered.'}</span>
        <PlanOnly tab={tab} />
      </header>
      {plan && (
        <div className="plan-body">
          <PlanGraph plan={plan} selected={selected} onSelect={select} />
          <PlanTimeline plan={plan} selected={selected} onSelect={select} />
          {plan.fetches[selected] && <PlanDetail fetch={plan.fetches[selected]} onClose={() => select(null)} />}
        </div>
      )}
    </section>
  )
}

function summary(plan) {
  const requests = plan.fetches.filter(fetch => fetch.kind !== 'introspection').length
  const parts = [`${requests} ${requests === 1 ? 'request' : 'requests'}`, `${plan.depth} deep`]
  if (plan.micros !== undefined) parts.push(duration(plan.micros))
  return parts.join(' · ')
}

// PlanOnly shows the plan without running the operation.
function PlanOnly({ tab }) {
  const editors = useGraphiQL(({ queryEditor, variableEditor, headerEditor, operationName }) => ({ queryEditor, variableEditor, headerEditor, operationName }))
  const [problem, setProblem] = useState('')
  async function ask() {
    setProblem('')
    try {
      const json = editor => JSON.parse(editor?.getValue().trim() || '{}')
      const params = { query: editors.queryEditor.getValue(), variables: json(editors.variableEditor), operationName: editors.operationName }
      await fetchPlan(named(params).params, json(editors.headerEditor), tab)
    } catch (error) {
      setProblem(error.message)
    }
  }
  return (
    <>
      {problem && <span className="problem" role="alert">{problem}</span>}
      <button type="button" className="plain" data-testid="plan-only" onClick={ask} title="Ask for the plan, execute nothing">Without running</button>
    </>
  )
}
