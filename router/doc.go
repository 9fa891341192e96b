// Package router is a GraphQL federation router as a library. In go a supergraph SDL, of package compose or of another
// tool, and ways to its subgraphs; out comes an http.Handler that answers clients.
//
//	shop, err := router.New(router.Config{Supergraph: sdl})
//	http.ListenAndServe(":4000", shop)
//
// It composes the phases, each a package of its own, through which schemas and requests flow. router.go shows the whole
// way of a request; read it first.
//
//	subgraph SDLs → compose → supergraph SDL → supergraph: the model
//	request → operation: normal form → plan: fetches and shapes → execute: the response's bytes → serve
//
// # Subgraphs
//
// A subgraph is reached over HTTP at the URL in the supergraph, or as Config.HTTP and Config.Traffic say; or by what
// Config.Transports has for its name: transport.Handler for an http.Handler in the same process, such as a gqlgen server,
// transport.InProcess for what needs no HTTP at all, or any transport.Transport of one's own.
//
// # Serving
//
// A Router is the whole front door: GraphQL over GET, POST, WebSocket, server-sent events and multipart at Config.Serve's
// Path, health checks, and whatever pages Config.Serve has. Mount it in a mux, or let its Front serve a listener and drain
// it at the end. Without HTTP, Execute and Subscribe answer requests of package serve. Load replaces the supergraph while
// requests go on. Several routers in one program share nothing.
//
// # Hooks
//
// Config.Hooks are code of the embedding program on the way of a request. A RequestHook changes or refuses requests, a
// PlanHook judges what is about to be executed, an ObserveHook watches its fetches, a FetchHook stands around each of them,
// a ResponseHook sees what is answered, a PrepareHook is told of the steps that make an operation ready, and a TransportHook puts
// something between the router and a subgraph, such as a cache.
//
// # Explanations
//
// With Config.Explain on, a request with the header Agora-Explain: plan is answered by extensions.plan instead of being
// executed; with Agora-Explain: analyze it is executed, and the plan says in addition when each fetch began and ended, what
// it sent and received, and how it failed. The Playground draws a picture of it.
package router
