package traces

import (
	"strconv"

	"github.com/slowburn/slowburn/processor/tracestore"
)

// traceView is what a client reads of what GET /api/traces/v1/traces/{trace_id} answers it; openapi.yaml says what the fields mean.
type traceView struct {
	TraceID    string             `json:"trace_id"`
	Summary    tracestore.Summary `json:"summary"`
	Kept       keptView           `json:"kept"`
	Marks      marksView          `json:"marks"`
	Clock      clockView          `json:"clock"`
	Orphans    int                `json:"orphans"`
	Duplicates int                `json:"duplicates"`
	Warnings   []string           `json:"warnings"`
	Spans      []spanView         `json:"spans"`
	Resources  []resourceView     `json:"resources"`
}

type clockView struct {
	Status string      `json:"status"`
	Clocks []clockItem `json:"clocks"`
}

type resourceView struct {
	Attributes map[string]any `json:"attributes"`
}

// spanView is a span. Its embedded structures are not seen in JSON: their fields stand among its own, in this order.
type spanView struct {
	SpanID   string `json:"span_id"`
	ParentID string `json:"parent_id"`
	Name     string `json:"name"`
	Service  string `json:"service"`
	Kind     string `json:"kind"`
	statusView
	placeView
	Synthetic bool `json:"synthetic"`
	timesView
	Flags      []string       `json:"flags"`
	Scope      scopeView      `json:"scope"`
	Attributes map[string]any `json:"attributes"`
	Resource   int            `json:"resource"`
	Events     []eventView    `json:"events"`
	Links      []linkView     `json:"links"`
}

// statusView is how the span's work ended.
type statusView struct {
	Status        string `json:"status"`
	StatusMessage string `json:"status_message"`
}

// placeView is where the span stands in the tree.
type placeView struct {
	Depth    int `json:"depth"`
	Children int `json:"children"`
}

// timesView is when the span ran: as its clock told, and corrected.
type timesView struct {
	Start          string  `json:"start_unix_nano"`
	End            string  `json:"end_unix_nano"`
	CorrectedStart string  `json:"corrected_start_unix_nano"`
	CorrectedEnd   string  `json:"corrected_end_unix_nano"`
	Uncertainty    *string `json:"uncertainty_ns"`
	Duration       string  `json:"duration_ns"`
}

type scopeView struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type eventView struct {
	Name       string         `json:"name"`
	Time       string         `json:"time_unix_nano"`
	Attributes map[string]any `json:"attributes"`
}

type linkView struct {
	TraceID    string         `json:"trace_id"`
	SpanID     string         `json:"span_id"`
	Attributes map[string]any `json:"attributes"`
	Kept       bool           `json:"kept"`
}

func unixNano(n uint64) string { return strconv.FormatUint(n, 10) }
