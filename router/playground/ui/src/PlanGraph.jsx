import { colours, duration, failed, plural, subgraph, took } from './units.js'

const box = { width: 168, height: 58, columnGap: 44, rowGap: 12, margin: 8 }

// layout puts each fetch into the column behind the last one that it waits for.
export function layout(fetches) {
  const columns = []
  const places = []
  for (const fetch of fetches) {
    const column = Math.max(-1, ...fetch.dependsOn.map(id => places[id].column)) + 1
    columns[column] = (columns[column] ?? 0) + 1
    places[fetch.id] = { column, row: columns[column] - 1 }
  }
  const rows = Math.max(1, ...columns)
  for (const place of places) {
    // Short columns stand in the middle, so that lines stay short.
    const top = ((rows - columns[place.column]) * (box.height + box.rowGap)) / 2
    place.x = box.margin + place.column * (box.width + box.columnGap)
    place.y = box.margin + top + place.row * (box.height + box.rowGap)
  }
  return {
    places,
    width: 2 * box.margin + columns.length * (box.width + box.columnGap) - box.columnGap,
    height: 2 * box.margin + rows * (box.height + box.rowGap) - box.rowGap,
  }
}

// PlanGraph shows the fetches as boxes, each to the right of what it waits for.
export function PlanGraph({ plan, selected, onSelect }) {
  const { places, width, height } = layout(plan.fetches)
  const colour = colours(plan)
  return (
    <div className="plan-graph">
      <div style={{ position: 'relative', width, height }}>
        <svg width={width} height={height} aria-hidden="true">
          {plan.fetches.flatMap(fetch => fetch.dependsOn.map(id => (
            <path key={`${id}-${fetch.id}`} d={line(places[id], places[fetch.id])} className={fetch.id === selected || id === selected ? 'near' : ''} />
          )))}
        </svg>
        {plan.fetches.map(fetch => (
          <button type="button" key={fetch.id} data-testid={`fetch-${fetch.id}`} aria-pressed={fetch.id === selected}
            className={['fetch', failed(fetch) && 'failed', fetch.deferred && 'deferred'].filter(Boolean).join(' ')}
            style={{ ...colour(fetch), left: places[fetch.id].x, top: places[fetch.id].y, width: box.width, height: box.height }}
            onClick={() => onSelect(fetch.id === selected ? null : fetch.id)}>
            <span className="who">{subgraph(fetch)}<small>#{fetch.id}</small></span>
            <span className="where">{where(fetch)}</span>
            <span className="cost">{cost(fetch, plan.micros !== undefined)}</span>
          </button>
        ))}
      </div>
    </div>
  )
}

function line(from, to) {
  const [x1, y1, x2, y2] = [from.x + box.width, from.y + box.height / 2, to.x, to.y + box.height / 2]
  const bend = Math.min(40, (x2 - x1) / 2)
  return `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
}

// where says what a fetch is about: the places of the entities, or the root fields.
function where(fetch) {
  if (fetch.entities) return fetch.entities.flatMap(each => each.paths).join(', ')
  return fetch.path || fetch.reasons?.join('; ') || fetch.kind
}

function cost(fetch, analyzed) {
  if (!fetch.runs && fetch.deferred) return 'deferred'
  if (!fetch.runs) return analyzed && fetch.kind !== 'root' ? 'not sent' : ''
  const sent = fetch.runs.reduce((sum, run) => sum + run.representations, 0)
  return [duration(took(fetch)), sent ? plural(sent, 'entity', 'entities') : '', fetch.deferred ? 'deferred' : '', failed(fetch) ? 'errors' : ''].filter(Boolean).join(' · ')
}
