import { bytes, colours, duration, failed, subgraph } from './units.js'

// PlanTimeline shows when each request began and ended: what stands below each other ran at the same time.
export function PlanTimeline({ plan, selected, onSelect }) {
  const rows = plan.fetches.flatMap(fetch => (fetch.runs ?? []).map((run, index) => ({ fetch, run, index })))
  if (!rows.length) return null
  rows.sort((a, b) => a.run.startMicros - b.run.startMicros || a.fetch.id - b.fetch.id)
  const total = Math.max(1, plan.micros ?? 0, ...rows.map(({ run }) => run.endMicros))
  const colour = colours(plan)
  const percent = micros => `${(100 * Math.max(0, micros)) / total}%`
  return (
    <div className="plan-timeline" data-testid="plan-timeline">
      <div className="axis" aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map(part => (
          <span key={part} style={{ left: `${100 * part}%` }}>{duration(Math.round(total * part))}</span>
        ))}
      </div>
      {rows.map(({ fetch, run, index }) => (
        <button type="button" key={`${fetch.id}-${index}`} className={failed(fetch) ? 'row failed' : 'row'} style={colour(fetch)}
          aria-pressed={fetch.id === selected} onClick={() => onSelect(fetch.id === selected ? null : fetch.id)}>
          <span className="label">{subgraph(fetch)}<small>#{fetch.id}</small></span>
          <span className="track">
            <span className="bar" style={{ left: percent(run.startMicros), width: percent(run.endMicros - run.startMicros) }} />
          </span>
          <span className="took">{duration(run.endMicros - run.startMicros)}<small>{bytes(run.bytesReceived)}</small></span>
        </button>
      ))}
    </div>
  )
}
