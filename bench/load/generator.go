package load

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Settings of a Generator.
type Settings struct {
	Endpoint        string
	Protocol        Protocol
	Connections     int
	SpansPerRequest int
	// Rate in spans per second; 0 is as fast as the target answers.
	Rate  int
	Mix   Mix
	Names Names
}

// Generator sends traces until its context ends. Stats may be called at any time.
type Generator struct {
	set       Settings
	templates [len(services)]template
	next      atomic.Uint64 // number of the next trace
	spans     atomic.Uint64
	refused   atomic.Uint64
	bytes     atomic.Uint64

	mu        sync.Mutex
	latencies []time.Duration
	lastErr   error
	finished  []uint64 // first traces of blocks that were accepted whole

	shorter sync.Map // [2]int{service, traces} → *template: the requests at the ends of blocks
}

// Stats are the counts of a generator so far.
type Stats struct {
	Spans, Refused, Bytes uint64
	// P50, P99 and P999 of the time that an accepted request took, since ResetLatencies.
	P50, P99, P999 time.Duration
	LastErr        error
}

// New encodes the requests.
func New(set Settings) *Generator {
	g := &Generator{set: set}
	for service := range g.templates {
		g.templates[service] = newTemplate(service, set.SpansPerRequest, set.Names)
	}
	return g
}

// BytesPerSpan returns the mean encoded size of a span.
func (g *Generator) BytesPerSpan() float64 {
	bytes, spans := 0.0, 0.0
	for _, t := range g.templates {
		own := float64(len(t.slots)) / float64(t.traces) // weight each service by its share of a trace
		bytes += float64(len(t.body)) / float64(len(t.slots)) * own
		spans += own
	}
	return bytes / spans
}

// Run sends until ctx ends, on all connections, and returns the first error that was not the target's refusal.
func (g *Generator) Run(ctx context.Context) error {
	var running sync.WaitGroup
	errs := make([]error, g.set.Connections)
	for i := range g.set.Connections {
		running.Go(func() { errs[i] = g.connection(ctx, i) })
	}
	running.Wait()
	return errors.Join(errs...)
}

// connection sends one block of traces after the other.
func (g *Generator) connection(ctx context.Context, number int) (err error) {
	s, err := newSender(g.set.Endpoint, g.set.Protocol)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	b := block{starts: make([]int64, g.blockLen())}
	pace := newPacer(g.set.Rate, g.set.Connections)
	pace.delay(float64(g.set.SpansPerRequest) * float64(number) / float64(g.set.Connections))
	for ctx.Err() == nil {
		n := uint64(len(b.starts))
		b.first = g.next.Add(n) - n
		clear(b.starts)
		if g.sendBlock(ctx, s, &b, pace) {
			g.mu.Lock()
			g.finished = append(g.finished, b.first)
			g.mu.Unlock()
		}
	}
	return nil
}

// block is consecutive traces that one connection sends.
type block struct {
	first  uint64
	starts []int64 // by trace: Unix nanoseconds of its first request, 0 before that
	body   []byte
}

// blockLen returns the number of traces of a block: enough that every service sends whole requests, or nearly so, and few
// enough that the traces of many connections do not stay open for long.
func (g *Generator) blockLen() int {
	const least = 100
	n := max(3, g.set.SpansPerRequest/3*3) // 1, 2, 3 or 4 spans per service
	return (least + n - 1) / n * n
}

// sendBlock sends a block and reports whether it did before ctx ended. It interleaves the services, so that a trace's requests
// are close together, as when every service exports about once a second.
func (g *Generator) sendBlock(ctx context.Context, s sender, b *block, pace *pacer) bool {
	var done [len(services)]int
	for {
		service, least := -1, len(b.starts)
		for i, d := range done {
			if d < least {
				service, least = i, d
			}
		}
		if service < 0 {
			return true
		}
		part := &g.templates[service]
		if left := len(b.starts) - least; left < part.traces {
			part = g.shortened(service, left)
		}
		if !pace.wait(ctx, len(part.slots)) {
			return false
		}
		b.fill(part, least, g.set.Mix)
		if !g.deliver(ctx, s, b.body, len(part.slots)) {
			return false
		}
		done[service] += part.traces
	}
}

// fill writes the template's next request into the body, for the block's traces from index at on.
func (b *block) fill(t *template, at int, mix Mix) {
	starts := b.starts[at : at+t.traces]
	now := time.Now().UnixNano()
	for i := range starts {
		if starts[i] == 0 {
			starts[i] = now
		}
	}
	b.body = append(b.body[:0], t.body...)
	t.patch(b.body, b.first+uint64(at), starts, mix)
}

// Finished yields the numbers of the traces whose spans were all accepted. Call it after Run.
func (g *Generator) Finished() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for _, first := range g.finished {
			for seq := range uint64(g.blockLen()) {
				if !yield(first + seq) {
					return
				}
			}
		}
	}
}

// shortened returns the request of a service for the traces that are left at the end of a block.
func (g *Generator) shortened(service, traces int) *template {
	key := [2]int{service, traces}
	if t, ok := g.shorter.Load(key); ok {
		return t.(*template)
	}
	t := newTemplate(service, traces*spansOf(service), g.set.Names)
	actual, _ := g.shorter.LoadOrStore(key, &t)
	return actual.(*template)
}

// deliver sends a request until the target accepts it, and reports whether it did before ctx ended.
func (g *Generator) deliver(ctx context.Context, s sender, body []byte, spans int) bool {
	for {
		begin := time.Now()
		err := s.send(ctx, body)
		took := time.Since(begin)
		if ctx.Err() != nil {
			return false
		}
		if err == nil {
			g.spans.Add(uint64(spans))
			g.bytes.Add(uint64(len(body)))
			g.mu.Lock()
			g.latencies = append(g.latencies, took)
			g.mu.Unlock()
			return true
		}
		g.refused.Add(uint64(spans))
		g.mu.Lock()
		g.lastErr = err
		g.mu.Unlock()
		timer := time.NewTimer(100 * time.Millisecond)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}

// ResetLatencies discards the request times so far, such as those of the warm-up.
func (g *Generator) ResetLatencies() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.latencies = g.latencies[:0]
}

// Stats returns the counts so far.
func (g *Generator) Stats() Stats {
	g.mu.Lock()
	sorted := slices.Clone(g.latencies)
	lastErr := g.lastErr
	g.mu.Unlock()
	slices.Sort(sorted)
	s := Stats{Spans: g.spans.Load(), Refused: g.refused.Load(), Bytes: g.bytes.Load(), LastErr: lastErr}
	if len(sorted) > 0 {
		s.P50, s.P99, s.P999 = sorted[len(sorted)/2], sorted[len(sorted)*99/100], sorted[len(sorted)*999/1000]
	}
	return s
}

// pacer spreads one connection's share of the rate evenly.
type pacer struct {
	// scale is the nanoseconds per span of this connection; 0 is no limit.
	scale float64
	due   time.Time
}

func newPacer(rate, connections int) *pacer {
	if rate == 0 {
		return &pacer{}
	}
	return &pacer{scale: float64(connections) / float64(rate) * float64(time.Second), due: time.Now()}
}

// delay postpones the first request by the time of that many spans, so that connections do not send in step.
func (p *pacer) delay(spans float64) {
	p.due = p.due.Add(time.Duration(spans * p.scale))
}

// wait waits until that many more spans are due, and reports whether that was before ctx ended.
func (p *pacer) wait(ctx context.Context, spans int) bool {
	if p.scale == 0 {
		return ctx.Err() == nil
	}
	p.due = p.due.Add(time.Duration(p.scale * float64(spans)))
	late := time.Until(p.due)
	if late <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(late)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
