import { parse, print } from 'graphql'
import { bytes, duration, plural, subgraph } from './units.js'

// PlanDetail is all that is known of one fetch.
export function PlanDetail({ fetch, onClose }) {
  return (
    <div className="plan-detail" data-testid="plan-detail">
      <header>
        <strong>{subgraph(fetch)}<small>#{fetch.id}</small></strong>
        <button type="button" className="clear" aria-label="Close the fetch" onClick={onClose}>×</button>
      </header>
      <dl>
        {fetch.reasons?.length > 0 && <Fact name="Why" values={fetch.reasons} />}
        {fetch.dependsOn.length > 0 && <Fact name="Waits for" values={[fetch.dependsOn.map(id => `#${id}`).join(', ')]} />}
        {fetch.path && <Fact name="At" values={[fetch.path]} />}
        {fetch.entities?.map((each, index) => (
          <Fact key={index} name="Representations" code values={each.representations} note={`of ${each.paths.join(', ')}`} />
        ))}
        {fetch.runs?.map((run, index) => <Fact key={index} name="Took" values={[took(run)]} note={run.error} />)}
      </dl>
      <pre>{pretty(fetch.query)}</pre>
    </div>
  )
}

function Fact({ name, values, note, code }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        {values.map((value, index) => (code ? <code key={index}>{value}</code> : <span key={index}>{value}</span>))}
        {note && <small>{note}</small>}
      </dd>
    </>
  )
}

function took(run) {
  const parts = [
    `${duration(run.endMicros - run.startMicros)} (from ${duration(run.startMicros)})`,
    `${bytes(run.bytesSent)} sent`, `${bytes(run.bytesReceived)} received`,
    run.representations > 0 && `${plural(run.representations, 'entity', 'entities')} for ${plural(run.objects, 'place', 'places')}`,
    run.status > 0 && `status ${run.status}`, run.errors > 0 && plural(run.errors, 'error', 'errors'),
  ]
  return parts.filter(Boolean).join(' · ')
}

// pretty lays out an operation, which is sent as short as can be.
function pretty(query) {
  try {
    return print(parse(query))
  } catch {
    return query
  }
}
