import { config, endpoint } from './config.js'
import { withToken } from './session.js'
import { createStore } from './store.js'

const key = 'playground:plan'

// open says whether the panel is there. As long as it is, operations are sent with a request for their plan.
export const open = createStore(Boolean(config.explain) && localStorage.getItem(key) === 'open')

// activeTab is the id of GraphiQL's active tab: answers come back to the tab that asked.
export const activeTab = createStore('')

// plans are the last explanations, by tab.
export const plans = createStore({})

export function toggle() {
  open.set(!open.get())
  localStorage.setItem(key, open.get() ? 'open' : 'closed')
}

// asking are the headers that ask for an explanation, beside others.
export function asking(headers = {}) {
  return open.get() ? { ...headers, 'Agora-Explain': 'analyze' } : headers
}

// keep puts an explanation beside its tab.
function keep(tab, plan) {
  plans.set({ ...plans.get(), [tab]: plan })
}

// take moves the explanation out of a result, or a part of one, to the panel: in the response it would only be noise.
export function take(result, tab) {
  for (const part of [result, ...(result?.incremental ?? [])]) {
    if (!part?.extensions?.plan) continue
    const { plan, ...extensions } = part.extensions
    keep(tab, plan)
    part.extensions = extensions
    if (!Object.keys(extensions).length) delete part.extensions
  }
}

// fetchPlan asks for the plan alone: nothing is executed.
export async function fetchPlan(params, headers, tab) {
  const response = await fetch(endpoint.href, {
    method: 'POST',
    headers: withToken({ ...headers, 'content-type': 'application/json', 'Agora-Explain': 'plan' }),
    body: JSON.stringify(params),
  })
  const result = await response.json()
  if (!result.extensions?.plan) throw new Error(result.errors?.[0]?.message ?? 'The answer holds no plan.')
  keep(tab, result.extensions.plan)
}
