package shop

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/slowburn/slowburn/internal/clock"
)

const (
	queueSize  = 1000
	batchSize  = 5
	batchDelay = 500 * time.Millisecond
)

// queue carries orders to fulfilment, which takes them in batches: a trace of its own per batch, linked to each order's.
type queue struct {
	messages chan trace.SpanContext
	consumer *service
}

func newQueue(consumer *service) *queue {
	return &queue{messages: make(chan trace.SpanContext, queueSize), consumer: consumer}
}

// publish sends an order. A full queue refuses it, and its span says so.
func (q *queue) publish(ctx context.Context, producer *service) {
	_, span := producer.tracer.Start(ctx, "send orders", trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(messaging("send", 1)...))
	defer span.End()
	select {
	case q.messages <- span.SpanContext():
	default:
		span.AddEvent("queue is full")
	}
}

// consume works through the queue until ctx ends.
func (q *queue) consume(ctx context.Context) {
	for {
		batch := q.receive(ctx)
		if len(batch) == 0 {
			return
		}
		q.fulfil(context.WithoutCancel(ctx), batch)
	}
}

// receive waits for a batch: a full one, or the orders of one delay. It is empty once ctx has ended.
func (q *queue) receive(ctx context.Context) (batch []trace.SpanContext) {
	select {
	case <-ctx.Done():
		return nil
	case first := <-q.messages:
		batch = append(batch, first)
	}
	deadline := clock.NewTimer(batchDelay)
	defer deadline.Stop()
	for len(batch) < batchSize {
		select {
		case <-ctx.Done():
			return batch
		case <-deadline.C:
			return batch
		case next := <-q.messages:
			batch = append(batch, next)
		}
	}
	return batch
}

func (q *queue) fulfil(ctx context.Context, batch []trace.SpanContext) {
	links := make([]trace.Link, len(batch))
	for i, message := range batch {
		links[i] = trace.Link{SpanContext: message}
	}
	ctx, span := q.consumer.tracer.Start(ctx, "process orders", trace.WithNewRoot(), trace.WithLinks(links...),
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(messaging("process", len(batch))...))
	defer span.End()
	for range batch {
		q.consumer.work(ctx, "print label", 3*time.Millisecond)
		q.consumer.query(ctx, "postgresql", "INSERT", "shipments", 2*time.Millisecond)
	}
}

func messaging(operation string, messages int) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("messaging.system", "kafka"),
		attribute.String("messaging.destination.name", "orders"),
		attribute.String("messaging.operation.type", operation),
		attribute.Int("messaging.batch.message_count", messages),
	}
}
