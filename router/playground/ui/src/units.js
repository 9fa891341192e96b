// duration shows microseconds with a unit and two or three digits.
export function duration(micros) {
  if (micros < 1000) return `${micros} µs`
  if (micros < 10_000) return `${(micros / 1000).toFixed(2)} ms`
  if (micros < 100_000) return `${(micros / 1000).toFixed(1)} ms`
  if (micros < 1_000_000) return `${Math.round(micros / 1000)} ms`
  return `${(micros / 1_000_000).toFixed(2)} s`
}

export function bytes(count) {
  if (count < 1000) return `${count} B`
  if (count < 1_000_000) return `${(count / 1000).toFixed(1)} kB`
  return `${(count / 1_000_000).toFixed(1)} MB`
}

export const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`

// took is how long a fetch was under way, all of its requests together; undefined if that is not known.
export function took(fetch) {
  return fetch.runs?.length ? fetch.runs.reduce((sum, run) => sum + run.endMicros - run.startMicros, 0) : undefined
}

export const failed = fetch => Boolean(fetch.runs?.some(run => run.errors > 0 || run.error))

const hues = [205, 150, 35, 275, 335, 180, 60, 240, 100, 10]

// colours gives each subgraph of a plan a hue of its own, the same in all plans that ask the same subgraphs.
export function colours(plan) {
  const names = [...new Set(plan.fetches.map(subgraph))].sort()
  return fetch => ({ '--hue': hues[names.indexOf(subgraph(fetch)) % hues.length] })
}

// subgraph is whom a fetch asks.
export const subgraph = fetch => fetch.subgraph ?? 'introspection'
