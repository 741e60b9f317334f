package jaeger

// traceView holds the parts of a trace that a client reads.
type traceView struct {
	TraceID   string                 `json:"traceID"`
	Spans     []spanView             `json:"spans"`
	Processes map[string]processView `json:"processes"`
	Warnings  []string               `json:"warnings"`
}

type spanView struct {
	TraceID    string          `json:"traceID"`
	SpanID     string          `json:"spanID"`
	Operation  string          `json:"operationName"`
	References []referenceView `json:"references"`
	Flags      uint32          `json:"flags"`
	Start      uint64          `json:"startTime"` // Unix microseconds
	Duration   uint64          `json:"duration"`  // microseconds
	Tags       []tagView       `json:"tags"`
	Logs       []logView       `json:"logs"`
	Process    string          `json:"processID"`
	Warnings   []string        `json:"warnings"`
}

type referenceView struct {
	Type    string `json:"refType"`
	TraceID string `json:"traceID"`
	SpanID  string `json:"spanID"`
}

type tagView struct {
	Key   string `json:"key"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}

type logView struct {
	Time   uint64    `json:"timestamp"` // Unix microseconds
	Fields []tagView `json:"fields"`
}

type processView struct {
	Service string    `json:"serviceName"`
	Tags    []tagView `json:"tags"`
}
