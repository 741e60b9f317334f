package delivery

import (
	"sync/atomic"

	"go.opentelemetry.io/collector/consumer"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Output is what the emitters of a processor share.
type Output struct {
	Next     consumer.Traces
	Names    *version.Names
	Buffer   *buffer.Buffer
	Services *tally.Services
	Stages   *tally.Stages
	Logger   *zap.Logger

	Counts
}

// Counts are what became of kept spans. They are safe for concurrent use.
type Counts struct {
	Delivered        atomic.Int64
	Failed           atomic.Int64 // refused for good
	Lost             atomic.Int64 // not delivered before the end, or not given back by the disk
	Repeated         atomic.Int64 // passed on once although they were there more than once
	Unknown          atomic.Int64 // with fields that did not survive decoding
	WithoutThreshold atomic.Int64 // whose weight could not be written
	Retries          atomic.Int64 // calls that are made again
}

// unread counts and logs spans that the disk did not give back.
func (o *Output) unread(spans int, err error) {
	o.Lost.Add(int64(spans))
	o.Logger.Error("kept spans cannot be read back and are lost", zap.Int("spans", spans), zap.Error(err))
}

// countKept counts a batch that the next component accepted, by service.
func (o *Output) countKept(b *batch) {
	if cap(b.services) < len(b.origins) {
		b.services = make([]*tally.Service, len(b.origins))
	}
	b.services = b.services[:len(b.origins)]
	clear(b.services)
	for i := range b.spans {
		s := &b.services[b.spans[i].origin]
		if *s == nil {
			*s = o.Services.Of(b.origins[b.spans[i].origin].resource.Of(b.arena))
		}
		(*s).Kept.Spans.Add(1)
		(*s).Kept.Bytes.Add(int64(b.spans[i].body.Len()))
	}
}
