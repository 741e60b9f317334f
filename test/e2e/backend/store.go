package main

import (
	"encoding/json"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// store has the accepted spans and the rules of each tenant. A request names its tenant in the header "tenant"; without it, the name is
// empty. Safe for concurrent use.
type store struct {
	mu      sync.Mutex
	tenants map[string]*tenant
}

type tenant struct {
	spans    ptrace.Traces
	rules    []*rule
	replaced chan struct{} // closed when the rules change
	state    state
}

// state is the answer of GET /state. It does not count requests that could not be decoded, or were above the limit.
type state struct {
	// Requests were decoded. Accepted of them were stored, with Spans spans. LargestAccepted is the size of the largest of those, in
	// bytes.
	Requests        int `json:"requests"`
	Accepted        int `json:"accepted"`
	Spans           int `json:"spans"`
	LargestAccepted int `json:"largest_accepted"`
}

func newStore() *store { return &store{tenants: map[string]*tenant{}} }

// of returns a tenant, and creates it if it is new. The caller holds mu.
func (s *store) of(name string) *tenant {
	t, ok := s.tenants[name]
	if !ok {
		t = &tenant{spans: ptrace.NewTraces(), replaced: make(chan struct{})}
		s.tenants[name] = t
	}
	return t
}

// take returns the rule that applies to a request, and nil if there is none. It stores the request if no rule applies, or one with Reject.
func (s *store) take(name string, from door, td ptrace.Traces) *rule {
	size := new(ptrace.ProtoMarshaler).TracesSize(td)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.of(name)
	t.state.Requests++
	var found *rule
	for _, r := range t.rules {
		if r.applies(from, td) {
			found = r
			break
		}
	}
	if found == nil || found.Reject > 0 {
		t.state.Accepted++
		t.state.Spans += td.SpanCount()
		t.state.LargestAccepted = max(t.state.LargestAccepted, size)
		td.ResourceSpans().MoveAndAppendTo(t.spans.ResourceSpans())
	}
	return found
}

func (s *store) setRules(w http.ResponseWriter, r *http.Request) {
	var rules []*rule
	if err := json.NewDecoder(r.Body).Decode(&rules); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.of(r.FormValue("tenant"))
	close(t.replaced)
	t.replaced = make(chan struct{})
	for _, one := range rules {
		one.replaced = t.replaced
	}
	t.rules = rules
}

func (s *store) showSpans(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	body, err := new(ptrace.ProtoMarshaler).MarshalTraces(s.of(r.FormValue("tenant")).spans)
	s.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(body)
}

func (s *store) showState(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = json.NewEncoder(w).Encode(s.of(r.FormValue("tenant")).state)
}
