package jetstream

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/agora-supergraph/agora/internal/event"
)

// ownership is the description by which a stream says whose it is. (Metadata would be the place, but servers before
// 2.10 drop it without a word.)
func (b *Bus) ownership(source string) string {
	return "Events of " + source + ", installation " + b.cfg.Installation
}

// stream is the name of the stream of a source: agora_orders for agora/orders.
func (b *Bus) stream(source string) string { return b.cfg.Prefix + "_" + token(path.Base(source)) }

// subject is where an event goes: agora.orders.order.confirmed.v1.
func (b *Bus) subject(e event.Event) string {
	service := token(path.Base(e.Source))
	return b.cfg.Prefix + "." + service + "." + strings.TrimPrefix(e.Type, strings.ReplaceAll(e.Source, "/", ".")+".")
}

// token is a text as names of streams and consumers have it.
func token(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters, r) {
			return r
		}
		return '_'
	}, s)
}

// Claim makes the streams of sources if they aren't there. One of another installation is an error, ErrForeign.
func (b *Bus) Claim(ctx context.Context, sources ...string) error {
	for _, source := range sources {
		if _, err := b.ensure(ctx, source); err != nil {
			return err
		}
	}
	return nil
}

// Drop deletes the stream of a source, if there is one. One of another installation is an error, ErrForeign.
func (b *Bus) Drop(ctx context.Context, source string) error {
	if err := b.Claim(ctx, source); err != nil {
		return err
	}
	b.doubt(source)
	if err := b.js.DeleteStream(ctx, b.stream(source)); err != nil {
		return fmt.Errorf("delete stream %s: %w", b.stream(source), err)
	}
	return nil
}

// ensure makes the stream of a source if it is not known to be there, and returns its identity.
func (b *Bus) ensure(ctx context.Context, source string) (string, error) {
	b.mu.Lock()
	known, ok := b.streams[source]
	b.mu.Unlock()
	if ok {
		return known, nil
	}
	info, err := b.info(ctx, source)
	if err != nil {
		return "", err
	}
	return identity(info), nil
}

// doubt forgets that the stream of a source is there.
func (b *Bus) doubt(source string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.streams, source)
}

// Log is the state of the stream of a source.
func (b *Bus) Log(ctx context.Context, source string) (event.Log, error) {
	info, err := b.info(ctx, source)
	if err != nil {
		return event.Log{}, err
	}
	return event.Log{ID: identity(info), Last: int64(info.State.LastSeq), Keeps: info.Config.MaxAge}, nil
}

// identity tells a stream from another one that had its name before.
func identity(info *jetstream.StreamInfo) string {
	return fmt.Sprintf("%s@%d", info.Config.Name, info.Created.UnixMicro())
}

// info asks the server for the stream of a source, which is made if there is none.
func (b *Bus) info(ctx context.Context, source string) (*jetstream.StreamInfo, error) {
	name := b.stream(source)
	b.doubt(source)
	stream, err := b.js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = b.js.CreateStream(ctx, b.streamConfig(source))
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process was faster, with other settings
			stream, err = b.js.Stream(ctx, name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", name, err)
	}
	info := stream.CachedInfo()
	if is, want := info.Config.Description, b.ownership(source); is != want {
		return nil, fmt.Errorf("stream %s is described as %q, not as %q: %w: give this one another prefix", name, is, want, ErrForeign)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.streams[source] = identity(info)
	return info, nil
}

func (b *Bus) streamConfig(source string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        b.stream(source),
		Description: b.ownership(source),
		Subjects:    []string{b.cfg.Prefix + "." + token(path.Base(source)) + ".>"},
		Storage:     jetstream.FileStorage,
		Replicas:    b.cfg.Replicas,
		MaxAge:      b.cfg.Keeps,
		Duplicates:  min(duplicates, b.cfg.Keeps),
	}
}
