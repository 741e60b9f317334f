package tsdb

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"time"

	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/slo/tsdb/internal/bounds"
	"github.com/slowburn/slowburn/slo/tsdb/internal/promapi"
)

const (
	// subqueryStep is the step of a subquery that has none, as in Prometheus with its default evaluation interval.
	subqueryStep = time.Minute
	// sampleBytes is the least that a sample takes of query::memory while a query holds it.
	sampleBytes = bounds.SampleBytes
	// minQueryMemory is what one query of a small dashboard needs.
	minQueryMemory = 8 << 20
	// remoteQueries is how many queries a remote Prometheus is asked at a time, as many as it runs by default.
	remoteQueries = 20
	// maxDefaultMemory is the default of query::memory where there is plenty.
	maxDefaultMemory = 256 << 20
)

// QueryConfig bounds the queries of people, which come over HTTP from the dashboard and from Grafana. The evaluation of
// objectives does not wait for them.
type QueryConfig struct {
	// Memory is shared by all queries in flight. 0 is a sixteenth of GOMEMLIMIT, 256 MiB at most.
	Memory units.Size `mapstructure:"memory"`
	// MaxSamples is how many samples one query may hold. 0 is as many as Memory has room for.
	MaxSamples int64 `mapstructure:"max_samples"`
	// Concurrent is how many run at a time, reads of traces and objectives (web::reads) included. 0 is one less than there are processors, and one at least; of a remote Prometheus,
	// which does the work, 20.
	Concurrent int `mapstructure:"concurrent"`
	// Queue is how many wait for their turn before others are refused, and QueueTimeout how long each does.
	Queue        int           `mapstructure:"queue"`
	QueueTimeout time.Duration `mapstructure:"queue_timeout"`
	// MaxLength is how long an expression may be, in bytes.
	MaxLength units.Size `mapstructure:"max_length"`
	// MaxResponseSize is how long an answer may be, in bytes before compression.
	MaxResponseSize units.Size `mapstructure:"max_response_size"`
}

func defaultQuery() QueryConfig {
	return QueryConfig{Queue: 64, QueueTimeout: 10 * time.Second, MaxLength: 16 << 10, MaxResponseSize: 32 << 20}
}

func (q QueryConfig) validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("query::"+format, args...)) }
	if q.Memory != 0 && q.Memory < minQueryMemory {
		wrong("memory: %s is too little; write at least %s, or leave it out for a sixteenth of GOMEMLIMIT", q.Memory, units.Size(minQueryMemory))
	}
	if q.MaxSamples < 0 {
		wrong("max_samples: %d is negative; leave it out for as many as query::memory has room for", q.MaxSamples)
	}
	if q.Concurrent < 0 {
		wrong("concurrent: %d is negative; leave it out for one less than there are processors", q.Concurrent)
	}
	if q.Queue < 0 {
		wrong("queue: %d is negative; write 0 to refuse what cannot run at once, or more", q.Queue)
	}
	if q.QueueTimeout <= 0 {
		wrong("queue_timeout: %s is not above 0; write a duration such as 10s", q.QueueTimeout)
	}
	if q.MaxLength <= 0 || q.MaxLength > 1<<20 {
		wrong("max_length: %s is not above 0 and at most 1MiB; write a size such as 64KiB", q.MaxLength)
	}
	if q.MaxResponseSize <= 0 {
		wrong("max_response_size: %s is not above 0; write a size such as 64MiB", q.MaxResponseSize)
	}
	return errors.Join(errs...)
}

// MemoryWithin returns how many bytes all queries together may take in a process with a memory limit, math.MaxInt64 for none.
func (q QueryConfig) MemoryWithin(limit int64) int64 {
	if q.Memory > 0 {
		return int64(q.Memory)
	}
	return min(max(limit/16, minQueryMemory), maxDefaultMemory)
}

// ResolvedMemory returns MemoryWithin for GOMEMLIMIT.
func (q QueryConfig) ResolvedMemory() int64 { return q.MemoryWithin(debug.SetMemoryLimit(-1)) }

// samples returns how many samples one query may hold.
func (q QueryConfig) samples() int64 {
	most := q.ResolvedMemory() / sampleBytes
	if q.MaxSamples > 0 {
		most = min(most, q.MaxSamples)
	}
	return min(most, math.MaxInt32)
}

// slots returns the slots of queries, Concurrent or else usual.
func (q QueryConfig) slots(usual int) *gate.Slots {
	if q.Concurrent > 0 {
		return gate.NewSlots(q.Concurrent)
	}
	return gate.NewSlots(usual)
}

// gate returns the gate that queries pass.
func (q QueryConfig) gate(slots *gate.Slots) *gate.Gate {
	return gate.New(gate.Settings{Slots: slots, Waiting: q.Queue, Timeout: q.QueueTimeout, Memory: q.ResolvedMemory()})
}

func (q QueryConfig) limits(timeout time.Duration) promapi.Limits {
	return promapi.Limits{
		Length: int(q.MaxLength), Response: int(q.MaxResponseSize), Time: timeout, SubqueryStep: subqueryStep,
	}
}

// QueryMemory returns the memory bound of all queries and its key, for adding up the memory of the process.
func (c *Config) QueryMemory() (key string, bytes int64) {
	return "query::memory", c.Query.ResolvedMemory()
}
