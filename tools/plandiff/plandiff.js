// Holds the plans of this repository's planner against those of npm @apollo/query-planner and npm
// @graphql-hive/router-query-planner: requests per operation, then depth. README.md says how to make the input.
//
//	node plandiff.js PLANS.jsonl [FOLDER [apollo|hive]]    FOLDER is where npm installed the peers
const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');
const folder = path.join(path.resolve(process.argv[3] || __dirname), process.argv[4] === 'ask' ? '' : 'node_modules');

const sum = (all) => all.reduce((a, b) => ({ requests: a.requests + b.requests, depth: a.depth + b.depth }), { requests: 0, depth: 0 });
const widest = (all) => ({ requests: sum(all).requests, depth: Math.max(0, ...all.map((c) => c.depth)) });

// cost counts the requests of a plan that are made with the given variables, and how many wait for each other.
function cost(node, variables) {
  const each = (nodes) => nodes.map((n) => cost(n, variables));
  switch (node && node.kind) {
    case 'Fetch':
    case 'BatchFetch':
      return { requests: 1, depth: 1 };
    case 'Sequence':
      return sum(each(node.nodes));
    case 'Parallel':
      return widest(each(node.nodes));
    case 'Flatten':
      return cost(node.node, variables);
    case 'Subscription':
      return sum([{ requests: 1, depth: 1 }, cost(node.rest, variables)]);
    case 'Condition':
      return cost(variables[node.condition] ? node.ifClause : node.elseClause, variables);
  }
  return { requests: 0, depth: 0 };
}

// planner is a peer's, for a supergraph.
function planner(name, line) {
  const labels = line.labels || [];
  if (name === 'hive') {
    const { QueryPlanner } = require(path.join(folder, '@graphql-hive/router-query-planner'));
    const hive = new QueryPlanner(line.supergraph);
    return (op) => hive.plan(op.query, undefined, new Set(labels), 100);
  }
  const { QueryPlanner } = require(path.join(folder, '@apollo/query-planner'));
  const { Supergraph, operationFromDocument } = require(path.join(folder, '@apollo/federation-internals'));
  const { parse } = require(path.join(folder, 'graphql'));
  const supergraph = Supergraph.build(line.supergraph, { supportedFeatures: null });
  const apollo = new QueryPlanner(supergraph);
  const conditions = new Map(labels.map((l) => [l, true]));
  return (op) => apollo.buildQueryPlan(operationFromDocument(supergraph.apiSchema(), parse(op.query)), { overrideConditions: conditions });
}

// ask plans every operation from a line on, in a process of its own, since a native planner may end the process that it is
// loaded into. It prints a line before each operation, and one behind it.
function ask(lines, from, name) {
  let at, plan;
  lines.forEach((line, i) => {
    if (line.supergraph) {
      at = line;
      plan = undefined;
      return;
    }
    if (i < from) return;
    console.log(JSON.stringify({ start: i }));
    try {
      plan = plan || planner(name, at);
      const made = plan(line);
      console.log(JSON.stringify({ i, ...cost(made.node, line.variables || {}), plan: made }, (k, v) => (k === 'operationDocumentNode' ? undefined : v)));
    } catch (e) {
      console.log(JSON.stringify({ i, refused: String(e.message || e).split('\n')[0] }));
    }
  });
}

// answers are what a peer makes of each line, however often it crashes.
function answers(name, count) {
  const all = new Array(count);
  for (let from = 0; from < count; ) {
    const child = spawnSync(process.execPath, [__filename, process.argv[2], folder, 'ask', String(from), name], { maxBuffer: 1 << 30, encoding: 'utf8' });
    let last = count;
    for (const line of child.stdout.split('\n').filter(Boolean)) {
      const said = JSON.parse(line);
      if (said.start !== undefined) last = said.start;
      else all[said.i] = said;
    }
    if (child.status === 0) break;
    if (last === count) throw new Error(child.stderr);
    all[last] = { refused: 'it crashed' };
    from = last + 1;
  }
  return all;
}

function compare(name, lines) {
  const zero = () => ({ operations: 0, ours: 0, theirs: 0, fewer: 0, more: 0, shallower: 0, deeper: 0, refused: 0 });
  const totals = { golden: zero(), random: zero() };
  const said = answers(name, lines.length);
  let at;
  lines.forEach((line, i) => {
    if (line.supergraph) at = line;
    const theirs = said[i];
    if (line.supergraph || !theirs) return;
    const kind = at.case === 'random' ? 'random' : 'golden';
    const total = totals[kind];
    if (theirs.refused) {
      total.refused++;
      return;
    }
    total.operations++;
    total.ours += line.requests;
    total.theirs += theirs.requests;
    total.fewer += line.requests < theirs.requests;
    total.more += line.requests > theirs.requests;
    total.shallower += line.requests === theirs.requests && line.depth < theirs.depth;
    total.deeper += line.requests === theirs.requests && line.depth > theirs.depth;
    if (line.requests === theirs.requests && line.depth > theirs.depth) {
      console.log(`DEEPER than ${name}: ${at.case} ${line.case || ''} ${line.depth} steps, theirs ${theirs.depth}: ${line.query.trim()}`);
    }
    if (line.requests > theirs.requests) {
      console.log(`MORE than ${name}: ${at.case} ${line.case || ''} ours ${line.requests} requests in ${line.depth} steps, theirs ${theirs.requests} in ${theirs.depth}`);
      console.log(line.query, JSON.stringify(line.variables || {}), '\n' + line.plan + '\n' + JSON.stringify(theirs.plan));
      if (kind === 'random') console.log(at.supergraph);
    }
  });
  for (const [kind, t] of Object.entries(totals)) {
    const mean = (n) => (n / t.operations).toFixed(3);
    console.log(`${name}, ${kind}: ${t.operations} operations, ours ${mean(t.ours)} requests each, theirs ${mean(t.theirs)}; ours fewer in ${t.fewer}, more in ${t.more}; of as many, shallower in ${t.shallower}, deeper in ${t.deeper}; ${t.refused} refused by them`);
  }
}

const lines = fs.readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l));
if (process.argv[4] === 'ask') ask(lines, Number(process.argv[5]), process.argv[6]);
else for (const name of process.argv[4] ? [process.argv[4]] : ['apollo', 'hive']) compare(name, lines);
