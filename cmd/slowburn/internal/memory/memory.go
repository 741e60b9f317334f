// Package memory computes how the parts of the process share its memory limit, and checks that they fit.
//
// Its types are Plan and Share. Of reads a configuration; Apply sets GOMEMLIMIT. The components' configurations return the
// sizes, which follow the limit unless a key is set.
package memory

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/otlp"
	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/slo/sli"
	"github.com/slowburn/slowburn/slo/tsdb"
	"github.com/slowburn/slowburn/web"
)

const (
	// processBytes is the memory besides all shares: code in use, goroutines, connections, the dashboard.
	processBytes = 48 << 20
	// ownSeriesBytes is the memory of one sli series in the time series database, histograms included.
	ownSeriesBytes = 2 << 10
	// goShare is GOMEMLIMIT as a share of the limit, unless the environment sets it.
	goShare = 0.9
)

// Share is a part of the memory limit.
type Share struct {
	Name  string
	Bytes int64
	// Key is the path of the configuration key that lowers it.
	Key string
}

// Plan is how the process shares its memory limit. Sizes are in bytes.
type Plan struct {
	// Limit is the control group's limit, or the machine's memory; 0 if it is not known.
	Limit int64
	// GoLimit is GOMEMLIMIT. GoLimitSet is true if the environment set it.
	GoLimit    int64
	GoLimitSet bool
	Shares     []Share
}

// Apply sets the memory limit of the Go runtime to nine tenths of the limit unless the environment has GOMEMLIMIT, and
// returns it. A limit of 0 means none.
func Apply(limit int64) (goLimit int64, fromEnvironment bool) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return debug.SetMemoryLimit(-1), true
	}
	if limit <= 0 {
		return debug.SetMemoryLimit(-1), false
	}
	goLimit = int64(float64(limit) * goShare)
	debug.SetMemoryLimit(goLimit)
	return goLimit, false
}

// Of returns the plan of a configuration. Components that are in no pipeline take nothing.
func Of(cfg *otelcol.Config, limit, goLimit int64, goLimitSet bool) Plan {
	p := Plan{Limit: limit, GoLimit: goLimit, GoLimitSet: goLimitSet}
	used := map[string]map[component.ID]bool{}
	for _, pipeline := range cfg.Service.Pipelines {
		for class, ids := range map[string][]component.ID{"in": pipeline.Receivers, "processors": pipeline.Processors, "out": pipeline.Exporters} {
			for _, id := range ids {
				if used[class] == nil {
					used[class] = map[component.ID]bool{}
				}
				used[class][id] = true
			}
		}
	}
	p.intake(cfg, used["in"])
	for _, id := range sorted(used["processors"]) {
		if c, ok := cfg.Processors[id].(*tailsampling.Config); ok {
			p.add("memory_budget", int64(c.MemoryBudget), "processors::"+id.String()+"::memory_budget")
		}
	}
	series := 0
	for _, id := range sorted(used["in"]) {
		if c, ok := cfg.Connectors[id].(*sli.Config); ok { // one that emits metrics
			key, bytes, n := c.MemoryShare()
			p.add("sli", bytes, "connectors::"+id.String()+"::"+key)
			if used["out"][id] && emits(cfg, id) {
				series += n
			}
		}
	}
	for _, id := range cfg.Service.Extensions {
		add := func(name, key string, bytes int64) { p.add(name, bytes, "extensions::"+id.String()+"::"+key) }
		switch c := cfg.Extensions[id].(type) {
		case *tsdb.Config:
			key, bytes := c.MemoryShare()
			if bytes > 0 {
				bytes += int64(series) * ownSeriesBytes
			}
			add("tsdb", key, bytes)
			key, bytes = c.QueryMemory()
			add("queries", key, bytes)
		case *web.Config:
			key, bytes := c.ReadMemory()
			add("reads", key, bytes)
		}
	}
	return p
}

// emits reports whether a metrics pipeline has the connector as a receiver.
func emits(cfg *otelcol.Config, id component.ID) bool {
	for name, pipeline := range cfg.Service.Pipelines {
		if name.Signal().String() == "metrics" && slices.Contains(pipeline.Receivers, id) {
			return true
		}
	}
	return false
}

// intake adds the memory of incoming requests, which all otlp receivers share.
func (p *Plan) intake(cfg *otelcol.Config, used map[component.ID]bool) {
	var configs []*otlp.Config
	key := "" // of the first that sets it, or of the first
	for _, id := range sorted(used) {
		if c, ok := cfg.Receivers[id].(*otlp.Config); ok {
			if len(configs) == 0 || c.IntakeBudget > 0 && otlp.SharedBudget(configs) != c.Budget() {
				key = "receivers::" + id.String() + "::intake_budget"
			}
			configs = append(configs, c)
		}
	}
	if len(configs) > 0 {
		p.add("intake_budget", otlp.SharedBudget(configs), key)
	}
}

func sorted(ids map[component.ID]bool) []component.ID {
	all := make([]component.ID, 0, len(ids))
	for id := range ids {
		all = append(all, id)
	}
	slices.SortFunc(all, func(a, b component.ID) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// add adds bytes to the share with this name.
func (p *Plan) add(name string, bytes int64, key string) {
	if bytes > 0 {
		p.Shares = append(p.Shares, Share{name, bytes, key})
	}
}

// Sum returns the sum of all shares and the process itself, in bytes.
func (p Plan) Sum() int64 {
	sum := int64(processBytes)
	for _, s := range p.Shares {
		if sum > math.MaxInt64-s.Bytes {
			return math.MaxInt64
		}
		sum += s.Bytes
	}
	return sum
}

// Check returns an error if Sum exceeds the limit, with the keys of the shares, the largest first.
func (p Plan) Check() error {
	sum := p.Sum()
	if p.Limit <= 0 || sum <= p.Limit {
		return nil
	}
	shares := slices.Clone(p.Shares)
	slices.SortStableFunc(shares, func(a, b Share) int { return int(max(min(b.Bytes-a.Bytes, 1), -1)) })
	keys := make([]string, len(shares))
	for i, s := range shares {
		keys[i] = fmt.Sprintf("%s (%s)", s.Key, units.About(s.Bytes))
	}
	return fmt.Errorf("the budgets take %s in total, %s for the process itself included, and the memory limit is %s: lower %s; or give the process at least %s",
		units.About(sum), units.About(processBytes), units.About(p.Limit), strings.Join(keys, ", "), units.About(sum))
}

// rest returns what the limit leaves besides the shares, for the process itself and for all that has no share.
func (p Plan) rest() int64 { return p.Limit - p.Sum() + processBytes }

// Fields returns the plan as fields of a log line.
func (p Plan) Fields() []zap.Field {
	if p.Limit <= 0 {
		return append([]zap.Field{zap.String("limit", "unknown")}, p.fields()...)
	}
	set := ""
	if p.GoLimitSet {
		set = " (by the environment)"
	}
	fields := []zap.Field{zap.String("limit", units.About(p.Limit)), zap.String("GOMEMLIMIT", units.About(p.GoLimit)+set)}
	return append(append(fields, p.fields()...), zap.String("rest", units.About(p.rest())))
}

func (p Plan) fields() (fields []zap.Field) {
	seen := map[string]bool{}
	for _, s := range p.Shares {
		name := s.Name
		if seen[name] {
			name = s.Key
		}
		seen[name] = true
		fields = append(fields, zap.String(name, units.About(s.Bytes)))
	}
	return fields
}

// String returns the plan in one line.
func (p Plan) String() string {
	var b strings.Builder
	for i, f := range p.Fields() {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %s", f.Key, f.String)
	}
	return b.String()
}
