package main

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// openCollector starts the Collector's receiver, and returns a function that stops it.
func openCollector(ctx context.Context, s settings, b *store) (func(), error) {
	factory := otlpreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"grpc": map[string]any{"endpoint": s.grpc, "max_recv_msg_size_mib": s.maxBytes >> 20},
		"http": map[string]any{"endpoint": s.http, "max_request_body_size": s.maxBytes},
	}}).Unmarshal(cfg); err != nil {
		return nil, err
	}
	next, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
		r := b.take("", doorGRPC, td)
		if r == nil || r.Reject > 0 {
			return nil
		}
		if r.Hang {
			r.wait(ctx)
		}
		return r.status()
	})
	if err != nil {
		return nil, err
	}
	rcv, err := factory.CreateTraces(ctx, receivertest.NewNopSettings(component.MustNewType("otlp")), cfg, next)
	if err != nil {
		return nil, err
	}
	if err := rcv.Start(ctx, componenttest.NewNopHost()); err != nil {
		return nil, err
	}
	return func() { _ = rcv.Shutdown(context.WithoutCancel(ctx)) }, nil
}
