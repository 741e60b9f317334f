package memorylimiter

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/items"
)

// limiter is the processor of one pipeline.
type limiter struct {
	processor.Traces // the gate: the Collector's processor, with nothing behind it
	next             consumer.Traces
	telemetry        *telemetry
	shared           *shared
}

// ConsumeTraces passes spans on, or refuses them with an error that makes senders try again.
func (l *limiter) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	spans := items.AsBytes(ctx, td)
	if err := l.Traces.ConsumeTraces(ctx, td); err != nil {
		if spans > 0 {
			l.telemetry.refuse(ctx, spans)
		}
		return fmt.Errorf("%s: %w: send again later; raise limit_mib or limit_percentage, or give the process more memory", l.shared.id, err)
	}
	if spans > 0 {
		l.telemetry.accept(ctx, spans)
	}
	return l.next.ConsumeTraces(ctx, td)
}

// Start implements component.Component.
func (l *limiter) Start(ctx context.Context, h component.Host) error {
	if err := l.Traces.Start(ctx, h); err != nil {
		return err
	}
	l.shared.start(h)
	return nil
}

// Shutdown implements component.Component.
func (l *limiter) Shutdown(ctx context.Context) error {
	l.shared.stop()
	return l.Traces.Shutdown(ctx)
}

// shared is the part that the processors of one configuration share. Its mutex guards host and started.
type shared struct {
	id     component.ID
	gate   processor.Traces
	forget func()

	mu      sync.Mutex
	host    component.Host
	started int
}

var _ host.Prober = (*shared)(nil)

func (s *shared) start(h component.Host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started++
	if s.started == 1 {
		s.host = h
		host.Announce(h, s.id, s)
	}
}

func (s *shared) stop() {
	s.forget()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started == 0 {
		return // it was not started
	}
	if s.started--; s.started == 0 {
		host.Retract(s.host, s.id, s)
	}
}

// Probe implements host.Prober. It blocks the gateway while the memory is above the limit.
func (s *shared) Probe(ctx context.Context) host.Health {
	if err := s.gate.ConsumeTraces(ctx, ptrace.NewTraces()); err != nil {
		return host.Health{Blocking: true, Message: "refuses spans: memory is above limit_mib or limit_percentage, less the spike limit"}
	}
	return host.Health{OK: true, Blocking: true, Message: "memory is below the limit"}
}
