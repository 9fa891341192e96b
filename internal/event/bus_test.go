package event_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/event/eventtest"
)

func TestTheLocalBusDoesWhatABusHasToDo(t *testing.T) {
	eventtest.Run(t, eventtest.Driver{Processes: 1, Open: func(*testing.T) func() eventtest.Process {
		return func() eventtest.Process {
			return eventtest.Process{
				Bus: &event.Local{Log: slog.New(slog.DiscardHandler)},
				Run: func(ctx context.Context) error { <-ctx.Done(); return nil },
			}
		}
	}})
}
