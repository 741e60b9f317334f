package policy_test

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
)

// A Set observes the spans of a trace one by one, and then decides.
func ExampleCompile() {
	halfASecond := int64(500)
	set, err := policy.Compile([]policy.Config{
		{Name: "errors", Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}}},
		{Name: "slow", Type: policy.Latency, Section: &policy.LatencyConfig{ThresholdMs: &halfASecond}},
	}, policy.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}

	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{1})
	span.Status().SetCode(ptrace.StatusCodeError)
	body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		fmt.Println(err)
		return
	}
	var request wire.Request
	if err := request.Scan(body); err != nil {
		fmt.Println(err)
		return
	}

	trace := policy.Trace{ID: [16]byte{1}, Bits: make([]uint64, set.Words()), Spans: len(request.Spans), Bytes: len(body)}
	for i := range request.Spans {
		s := &request.Spans[i]
		set.Observe(trace.Bits, &policy.SpanView{
			Span: s, Bytes: body, Body: s.Body.Of(body), Resource: request.Resources[s.Resource].Body.Of(body), Scope: request.Scopes[s.Scope].Body.Of(body),
		})
	}
	votes := make([]policy.Vote, set.Len())
	d := set.Decide(&trace, votes)
	fmt.Println(d.Verdict, "by", set.Name(d.Policy))
	fmt.Println("slow matched:", votes[1].Matched)
	// Output:
	// sampled by errors
	// slow matched: false
}
