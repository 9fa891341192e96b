// Answers composition cases, one JSON document a line: {"subgraphs":[{"name","url","sdl"}]} in, {"codes","hints","sdl","api"}
// out. It finds the package in the folder of the first argument; with "second" as the second argument, it is
// @theguild/federation-composition, of which only the errors are told.
const path = require('path');
const folder = path.join(path.resolve(process.argv[2]), 'node_modules');
const second = process.argv[3] === 'second';
const { composeServices } = require(path.join(folder, second ? '@theguild/federation-composition' : '@apollo/composition'));
const { Supergraph, printSchema } = second ? {} : require(path.join(folder, '@apollo/federation-internals'));
const { parse } = require(path.join(folder, 'graphql'));

function answer(subgraphs) {
  const services = [];
  const errors = [];
  for (const s of subgraphs) {
    try {
      services.push({ name: s.name, url: s.url, typeDefs: parse(s.sdl) });
    } catch (e) {
      errors.push({ code: 'INVALID_GRAPHQL', message: `[${s.name}] ${e.message}` });
    }
  }
  if (errors.length > 0) return { errors };
  try {
    const r = composeServices(services);
    const hints = (r.hints || []).map((h) => ({ code: h.definition.code, message: h.message }));
    if (r.errors && r.errors.length > 0) {
      return { hints, errors: r.errors.map((e) => ({ code: (e.extensions && e.extensions.code) || '', message: e.message })) };
    }
    if (second) return {};
    return { hints, sdl: r.supergraphSdl, api: printSchema(Supergraph.build(r.supergraphSdl, { supportedFeatures: null }).apiSchema()) };
  } catch (e) {
    return { crash: String((e && e.stack) || e) };
  }
}

require('readline')
  .createInterface({ input: process.stdin })
  .on('line', (line) => process.stdout.write(JSON.stringify(answer(JSON.parse(line).subgraphs)) + '\n'));
