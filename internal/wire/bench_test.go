package wire_test

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
)

const benchSpans = 12

// BenchmarkScan and BenchmarkUnmarshal read the same requests; both report per span.
func BenchmarkScan(b *testing.B) {
	b.Run("collector", func(b *testing.B) { scan(b, wiretest.Marshal(wiretest.Realistic(benchSpans))) })
	b.Run("sdk", func(b *testing.B) { scan(b, wiretest.AsSDK(wiretest.Marshal(wiretest.Realistic(benchSpans)))) })
}

func scan(b *testing.B, data []byte) {
	var r wire.Request
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Scan(data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(data))/benchSpans, "B/span")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchSpans), "ns/span")
}

// BenchmarkAccept is BenchmarkScan plus computing the reservation first.
func BenchmarkAccept(b *testing.B) {
	data := wiretest.Marshal(wiretest.Realistic(benchSpans))
	var r wire.Request
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Accept(data, 1<<20); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchSpans), "ns/span")
}

func BenchmarkUnmarshal(b *testing.B) {
	data := wiretest.Marshal(wiretest.Realistic(benchSpans))
	var u ptrace.ProtoUnmarshaler
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.UnmarshalTraces(data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchSpans), "ns/span")
}

func BenchmarkSpanAttribute(b *testing.B) {
	var r wire.Request
	if err := r.Scan(wiretest.Marshal(wiretest.Realistic(benchSpans))); err != nil {
		b.Fatal(err)
	}
	span := r.Spans[0].Body.Of(r.Bytes)
	for b.Loop() {
		if _, ok := wire.SpanAttribute(span, "http.response.status_code"); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkAttributeWalk(b *testing.B) {
	var r wire.Request
	if err := r.Scan(wiretest.Marshal(wiretest.Realistic(benchSpans))); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for i := range r.Spans {
			w := wire.WalkAttributes(r.Spans[i].Body.Of(r.Bytes))
			for _, ok := w.Next(); ok; _, ok = w.Next() {
				n += int(w.Value().Kind())
			}
		}
		if n == 0 {
			b.Fatal("no attributes")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchSpans), "ns/span")
}

func BenchmarkKeptFill(b *testing.B) {
	var r wire.Request
	if err := r.Scan(wiretest.Marshal(wiretest.Realistic(benchSpans))); err != nil {
		b.Fatal(err)
	}
	var k wire.Kept
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Fill(&r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchSpans), "ns/span")
}

// BenchmarkAppendRequest writes traces with marks, and with an attribute on each span.
func BenchmarkAppendRequest(b *testing.B) {
	var r wire.Request
	if err := r.Scan(wiretest.Marshal(wiretest.Realistic(benchSpans))); err != nil {
		b.Fatal(err)
	}
	var k wire.Kept
	if _, err := k.Fill(&r); err != nil {
		b.Fatal(err)
	}
	k.Traces[0].Marks = []wire.Attribute{wire.StringAttribute("slowburn.reason", "slow")}
	for i := range k.Spans {
		k.SetAttribute(i, wire.IntAttribute("slowburn.clock", int64(i)))
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = k.AppendRequest(dst[:0], 0, len(k.Spans))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchSpans), "ns/span")
}
