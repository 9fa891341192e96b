// Package serve is the router's front door: bytes of HTTP in, GraphQL requests out to an Engine, its answers
// back as bytes.
//
// In comes an HTTP request. It passes routing, CORS, CSRF prevention and authentication, is decoded to a
// Request by the GraphQL over HTTP specification (https://graphql.github.io/graphql-over-http/draft/), and is
// given to the Engine. Out goes the engine's Response, with the media type that the client accepts and the
// status code that the specification gives to its Outcome. Subscriptions are carried by server-sent events
// (https://github.com/enisdenjo/graphql-sse, distinct connections), by multipart/mixed as Apollo's clients
// ask for it, and by WebSocket (the subprotocol graphql-transport-ws, https://github.com/enisdenjo/graphql-ws).
// Answers to operations with @defer come in parts, as multipart/mixed or server-sent events, to clients that
// accept that; others get them whole. On a WebSocket they are next messages, in the form of August 2022 unless the
// client says otherwise by accept in the payload of connection_init, with the media types of HTTP: multipart/mixed with
// incrementalSpec=v0.2 for ids, application/json for whole answers.
//
// The package knows nothing of schemas, plans or subgraphs, and never looks into data: what it must know of
// an answer, the engine says in the Response. Every refusal of its own is a GraphQL error with
// extensions.code.
package serve
