package api

// Trace answers GET /api/traces/v1/traces/{trace_id}.
type Trace struct {
	TraceID    string       `json:"trace_id"`
	Summary    TraceSummary `json:"summary"`
	Kept       Kept         `json:"kept"`
	Marks      Marks        `json:"marks"`
	Clock      Clocks       `json:"clock"`
	Orphans    int          `json:"orphans"`
	Duplicates int          `json:"duplicates"`
	Warnings   []string     `json:"warnings"`
	Spans      []Span       `json:"spans"`
	Resources  []Resource   `json:"resources"`
}

// Kept is the decision by which a trace was kept.
type Kept struct {
	Policy        string  `json:"policy"`
	Threshold     string  `json:"threshold"`
	AdjustedCount float64 `json:"adjusted_count"`
	LateSpans     int     `json:"late_spans"`
}

// Marks are the attributes that the gateway wrote on a trace's scopes.
type Marks struct {
	Revived       bool   `json:"revived"`
	LinkedTraceID string `json:"linked_trace_id"`
	TrimmedSpans  int64  `json:"trimmed_spans"`
	TextRepaired  bool   `json:"text_repaired"`
}

// Clocks describes the differences between the clocks of a trace.
type Clocks struct {
	Status string  `json:"status"`
	Clocks []Clock `json:"clocks"`
}

// Clock is one of a trace's clocks. Offset and Uncertainty are nanoseconds, in decimal.
type Clock struct {
	Name        string  `json:"name"`
	Offset      string  `json:"offset_ns"`
	Uncertainty *string `json:"uncertainty_ns"`
	Pairs       int     `json:"pairs"`
	Status      string  `json:"status"`
}

// Resource is the resource of spans.
type Resource struct {
	Attributes map[string]any `json:"attributes"`
}

// Span is a span of a Trace. In JSON the fields of its embedded structures are among its own, in this order.
type Span struct {
	SpanID   string `json:"span_id"`
	ParentID string `json:"parent_id"`
	Name     string `json:"name"`
	Service  string `json:"service"`
	Kind     string `json:"kind"`
	SpanStatus
	SpanPlace
	Synthetic bool `json:"synthetic"`
	SpanTimes
	Flags      []string       `json:"flags"`
	Scope      Scope          `json:"scope"`
	Attributes map[string]any `json:"attributes"`
	Resource   int            `json:"resource"`
	Events     []Event        `json:"events"`
	Links      []Link         `json:"links"`
}

// SpanStatus is the status of a span.
type SpanStatus struct {
	Status        string `json:"status"`
	StatusMessage string `json:"status_message"`
}

// SpanPlace is the place of a span in the tree.
type SpanPlace struct {
	Depth    int `json:"depth"`
	Children int `json:"children"`
}

// SpanTimes has the times of a span in decimal nanoseconds: by its own clock, and corrected.
type SpanTimes struct {
	Start          string  `json:"start_unix_nano"`
	End            string  `json:"end_unix_nano"`
	CorrectedStart string  `json:"corrected_start_unix_nano"`
	CorrectedEnd   string  `json:"corrected_end_unix_nano"`
	Uncertainty    *string `json:"uncertainty_ns"`
	Duration       string  `json:"duration_ns"`
}

// Scope is the instrumentation scope of a span.
type Scope struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Event is an event of a span.
type Event struct {
	Name       string         `json:"name"`
	Time       string         `json:"time_unix_nano"`
	Attributes map[string]any `json:"attributes"`
}

// Link is a link of a span.
type Link struct {
	TraceID    string         `json:"trace_id"`
	SpanID     string         `json:"span_id"`
	Attributes map[string]any `json:"attributes"`
	Kept       bool           `json:"kept"`
}
