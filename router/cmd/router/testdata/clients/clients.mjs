// Real clients ask the router at the URL of the first argument. Each line of the output is the name of what was tried, and
// "ok" or what went wrong.
import { createHash } from "node:crypto";
import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { EventSource } from "eventsource";
import { createClient as createSSE } from "graphql-sse";
import { createClient as createWS } from "graphql-ws";
import WebSocket from "ws";

const url = process.argv[2];
const query = "query Hello { hello }";
const subscription = "subscription Ticks { tick }";
const hello = "hello";
const ticks = ["1", "2", "3"];
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

function same(got, want) {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}

// collect gathers the results of a client whose subscribe takes a sink.
const collect = (client, query) =>
  new Promise((resolve, reject) => {
    const got = [];
    client.subscribe({ query }, { next: (r) => got.push(r), error: reject, complete: () => resolve(got) });
  });

async function sinks(client) {
  same(await collect(client, query), [{ data: { hello } }]);
  same((await collect(client, subscription)).map((r) => r.data.tick), ticks);
  const [refused] = await collect(client, "{ nonsense }").catch((errors) => [{ errors: [].concat(errors) }]);
  if (!JSON.stringify(refused.errors).includes("nonsense")) throw new Error(`no error for nonsense: ${JSON.stringify(refused)}`);
  client.dispose();
}

const observed = (observable) =>
  new Promise((resolve, reject) => {
    const got = [];
    observable.subscribe({ next: (r) => got.push(r), error: reject, complete: () => resolve(got) });
  });

async function apollo(link, streams) {
  const client = new ApolloClient({ cache: new InMemoryCache(), link });
  same((await client.query({ query: gql(query) })).data, { hello });
  if (streams) same((await observed(client.subscribe({ query: gql(subscription) }))).map((r) => r.data.tick), ticks);
}

// once breaks the first answer off after its first event.
function once() {
  let first = true;
  return async (input, init) => {
    const answer = await fetch(input, init);
    if (!first) return answer;
    first = false;
    const reader = answer.body.getReader();
    let text = "";
    const body = new ReadableStream({
      async pull(out) {
        const { value, done } = await reader.read();
        if (done) return out.close();
        text += new TextDecoder().decode(value);
        const end = text.indexOf("\n\n", text.indexOf("event: next"));
        if (!text.includes("event: next") || end < 0) return out.enqueue(value);
        out.enqueue(new TextEncoder().encode(text.slice(0, end + 2)));
        await reader.cancel();
        out.close();
      },
    });
    const broken = new Response(body, { status: answer.status, headers: answer.headers });
    Object.defineProperty(broken, "url", { value: answer.url });
    return broken;
  };
}

const tries = {
  "graphql-ws": () => sinks(createWS({ url: url.replace("http", "ws"), webSocketImpl: WebSocket })),
  "graphql-sse, distinct connections": () => sinks(createSSE({ url })),
  "graphql-sse, single connection": () => sinks(createSSE({ url, singleConnection: true })),
  "Apollo Client over HTTP, multipart subscriptions": () => apollo(new HttpLink({ uri: url }), true),
  "Apollo Client, automatic persisted queries": () => apollo(new PersistedQueryLink({ sha256 }).concat(new HttpLink({ uri: url })), false),
  "Apollo Client, persisted queries by GET": () =>
    apollo(new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(new HttpLink({ uri: url })), false),
  "Apollo Client over WebSocket": () =>
    apollo(new GraphQLWsLink(createWS({ url: url.replace("http", "ws"), webSocketImpl: WebSocket })), true),
  "urql, persisted queries by GET": async () => {
    const client = new Client({ url, exchanges: [persistedExchange({ preferGetForPersistedQueries: true }), fetchExchange] });
    for (let i = 0; i < 2; i++) same((await client.query(query, {}, { requestPolicy: "network-only" })).data.hello, hello);
  },
  "urql, subscriptions by graphql-sse": async () => {
    const sse = createSSE({ url });
    const client = new Client({
      url,
      exchanges: [
        subscriptionExchange({
          forwardSubscription: (request) => ({ subscribe: (sink) => ({ unsubscribe: sse.subscribe({ query: request.query }, sink) }) }),
        }),
      ],
    });
    const got = await new Promise((resolve) => {
      const all = [];
      client.subscription(subscription, {}).subscribe((r) => {
        if (r.error) all.push(r.error.message);
        else if (r.data && r.data.tick !== all.at(-1)) all.push(r.data.tick);
        if (all.length === ticks.length) resolve(all);
      });
    });
    same(got, ticks);
    sse.dispose();
  },
  "EventSource, whose connection breaks": () =>
    new Promise((resolve, reject) => {
      const got = [];
      const source = new EventSource(`${url}?query=${encodeURIComponent(subscription)}`, { fetch: once() });
      source.addEventListener("next", (e) => got.push(JSON.parse(e.data).data?.tick ?? e.data));
      source.addEventListener("complete", () => {
        source.close();
        try {
          same(got, ticks);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    }),
};

for (const [name, attempt] of Object.entries(tries)) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("not within 20 s")), 20_000)));
  const verdict = await Promise.race([attempt(), late]).then(
    () => "ok",
    (error) => String(error?.stack ?? JSON.stringify(error)).replaceAll("\n", " | "),
  );
  clearTimeout(timer);
  console.log(`${name}: ${verdict}`);
}
process.exit(0);
