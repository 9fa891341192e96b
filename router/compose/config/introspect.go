package config

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxAnswer bounds a subgraph's answer, in bytes.
const maxAnswer = 64 << 20

var question = []byte(`{"query":"query SubgraphIntrospectQuery { _service { sdl } }","operationName":"SubgraphIntrospectQuery"}`)

// introspect asks a running subgraph for its SDL.
func (r *reader) introspect(ctx context.Context, address string, headers map[string]string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(question))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := r.Client.Do(request)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return "", fmt.Errorf("no answer within %s", r.Timeout)
		}
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "", fmt.Errorf("no complete answer within %s", r.Timeout)
	case err != nil:
		return "", err
	case len(body) > maxAnswer:
		return "", fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	return sdlOf(response.Status, body)
}

func sdlOf(status string, body []byte) (string, error) {
	var answer struct {
		Data struct {
			Service struct {
				SDL *string `json:"sdl"`
			} `json:"_service"`
		} `json:"data"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("the answer (%s) is no GraphQL response: %w", status, err)
	}
	switch {
	case answer.Data.Service.SDL != nil:
		return *answer.Data.Service.SDL, nil
	case len(answer.Errors) > 0:
		return "", fmt.Errorf("%s", answer.Errors[0].Message)
	}
	return "", fmt.Errorf("the answer (%s) has no _service.sdl: is this a federation subgraph?", status)
}
