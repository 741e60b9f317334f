package api

import _ "embed"

// OpenAPI is openapi.yaml, an OpenAPI 3.1 document.
//
//go:embed openapi.yaml
var OpenAPI []byte

// Problem is a problem document (RFC 9457). Detail says what to do.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// Caller is the sender of a request, and whether the sender may make changes.
type Caller struct {
	Subject  string `json:"subject"`
	Address  string `json:"address"`
	Operator bool   `json:"operator"`
	Why      string `json:"why"`
}

// Readiness answers GET /readyz.
type Readiness struct {
	Ready      bool              `json:"ready"`
	Components []ComponentHealth `json:"components"`
}

// ComponentHealth is the health of one component by its own probe.
type ComponentHealth struct {
	ID       string `json:"id"`
	OK       bool   `json:"ok"`
	Blocking bool   `json:"blocking"`
	Message  string `json:"message"`
	Advice   string `json:"advice,omitempty"`
}

// listOf converts each value of a list. It returns an empty list for nil.
func listOf[From, To any](list []From, convert func(From) To) []To {
	out := make([]To, len(list))
	for i := range list {
		out[i] = convert(list[i])
	}
	return out
}

// whole returns the list, or an empty one for nil.
func whole[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// wholeMap returns the map, or an empty one for nil.
func wholeMap[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}
