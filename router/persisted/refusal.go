package persisted

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/agora-supergraph/agora/router/serve"
)

// The codes of refusals, as extensions.code. Apollo's clients and router know the first group, Hive's the second.
const (
	CodeNotFound      = "PERSISTED_QUERY_NOT_FOUND"
	CodeHashMismatch  = "PERSISTED_QUERY_HASH_MISMATCH"
	CodeNotInList     = "PERSISTED_QUERY_NOT_IN_LIST"
	CodeIDRequired    = "PERSISTED_QUERY_ID_REQUIRED"
	CodeIDAndBody     = "CANNOT_SEND_PQ_ID_AND_BODY"
	CodeNotInSafelist = "QUERY_NOT_IN_SAFELIST"

	CodeDocumentNotFound = "PERSISTED_DOCUMENT_NOT_FOUND"
	CodeExtractionFailed = "PERSISTED_DOCUMENT_EXTRACTION_FAILED"
	CodeResolutionFailed = "PERSISTED_DOCUMENT_RESOLUTION_FAILED"
)

// The messages that clients of Apollo's know, word for word; some of them look at the message and not at the code.
const (
	messageNotSupported  = "PersistedQueryNotSupported"
	messageNotFound      = "PersistedQueryNotFound"
	messageNotInSafelist = "The operation body was not found in the persisted query safelist"
	messageIDRequired    = "This endpoint does not allow freeform GraphQL requests; operations must be sent by ID in the persisted queries GraphQL extension."
	messageIDAndBody     = "Sending a persisted query ID and a body in the same request is not allowed"
	messageHashMismatch  = "provided sha does not match query"
)

// uncached is the Cache-Control of refusals.
const uncached = "private, no-cache, must-revalidate"

// refuse keeps caches from keeping the refusal: clients are often ahead of routers.
func refuse(outcome serve.Outcome, code, message string) *serve.Response {
	resp := serve.Refuse(outcome, code, message)
	resp.Header = http.Header{"Cache-Control": {uncached}}
	return resp
}

func askForText() *serve.Response { return refuse(serve.TextNeeded, CodeNotFound, messageNotFound) }

func hashMismatch() *serve.Response {
	return refuse(serve.BadRequest, CodeHashMismatch, messageHashMismatch)
}

// notInList has the operation's name, if there is one, for those who look for it.
func notInList(id, operation string) *serve.Response {
	message := fmt.Sprintf("Persisted query '%s' not found in the persisted query list", id)
	resp := refuse(serve.NotFound, CodeNotInList, message)
	if operation == "" {
		return resp
	}
	type extensions struct {
		Code          string `json:"code"`
		OperationName string `json:"operation_name"`
	}
	type graphqlError struct {
		Message    string     `json:"message"`
		Extensions extensions `json:"extensions"`
	}
	body, err := json.Marshal(struct {
		Errors []graphqlError `json:"errors"`
	}{[]graphqlError{{message, extensions{CodeNotInList, operation}}}})
	if err != nil {
		panic(fmt.Sprintf("encode the refusal of %q: %v", id, err)) // strings always encode
	}
	resp.Body = body
	return resp
}

// idAndBody is for all habits: an id and a text could be read as two documents.
func idAndBody(how habit) *serve.Response {
	if how == byParameter {
		return refuse(serve.RequestError, CodeIDAndBody, messageIDAndBody)
	}
	return refuse(serve.BadRequest, CodeIDAndBody, messageIDAndBody)
}

func idRequired() *serve.Response {
	return serve.Refuse(serve.BadRequest, CodeIDRequired, messageIDRequired)
}

func notInSafelist() *serve.Response {
	return refuse(serve.Forbidden, CodeNotInSafelist, messageNotInSafelist)
}

func notFound(id string) *serve.Response {
	return refuse(serve.RequestError, CodeDocumentNotFound, "the persisted document "+id+" is not known")
}

func extractionFailed(id string) *serve.Response {
	return refuse(serve.RequestError, CodeExtractionFailed, "the document id "+id+" is neither an id nor of the form name~version~id")
}

// notLoaded is for the time until the first reading of every manifest: nobody can say what is not in them.
func notLoaded() *serve.Response {
	return refuse(serve.Unavailable, CodeResolutionFailed, "the persisted documents are not loaded yet")
}
