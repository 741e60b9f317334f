package admit

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Limits bounds a request and its series.
type Limits struct {
	// Labels is how many labels a series may have.
	Labels int
	// Name, Value and Size are in bytes: of a label's name, of its value, and of all labels of a series together.
	Name, Value, Size int
	// Buckets is how many buckets, or quantiles, a data point may have.
	Buckets int
	// Samples is how many samples a request may have.
	Samples int
}

// The reasons of rejections, as otelcol_extension_tsdb_rejected_samples has them.
const (
	Future         = "future"
	TooOld         = "too_old"
	Untranslatable = "untranslatable"
	Labels         = "labels"
	LabelName      = "label_name"
	LabelValue     = "label_value"
	LabelsSize     = "labels_size"
	Buckets        = "buckets"
	Requests       = "samples_per_request"
)

// The errors of samples outside of the Window.
var (
	ErrFuture  = errors.New("too far in the future")
	ErrExpired = errors.New("older than the retention")
)

// Rejection says what of a request is not passed on, and why.
type Rejection struct {
	Reason string
	// Points is how many data points are rejected, Samples how many samples they would have become.
	Points, Samples int
	// Metric is the name of the metric, shortened; empty if the resource is at fault.
	Metric string
	Err    error
}

// Window bounds the times of samples.
type Window struct{ Oldest, Newest time.Time }

func (w Window) check(t pcommon.Timestamp) *violation {
	switch {
	case t > pcommon.NewTimestampFromTime(w.Newest):
		return &violation{Future, ErrFuture}
	case t < pcommon.NewTimestampFromTime(w.Oldest):
		return &violation{TooOld, ErrExpired}
	default:
		return nil
	}
}

// violation is an exceeded limit.
type violation struct {
	reason string
	err    error
}

func over(reason, key string, n, limit int) *violation {
	return &violation{reason, fmt.Errorf("%d is more than %s (%d)", n, key, limit)}
}

// sized is the number and the bytes of some labels.
type sized struct{ labels, bytes int }

func (s *sized) add(name string, value int) {
	s.labels++
	s.bytes += len(name) + value
}

// attribute adds the size of an attribute as a label, and returns the limit that it exceeds, if any.
func (l *Limits) attribute(name string, v pcommon.Value, to *sized) *violation {
	if len(name) > l.Name {
		return over(LabelName, "limits::label_name", len(name), l.Name)
	}
	n := length(v, l.Value)
	if n > l.Value {
		return &violation{LabelValue, fmt.Errorf("the value of %q is longer than limits::label_value (%d)", name, l.Value)}
	}
	to.add(name, n)
	return nil
}

func (l *Limits) attributes(m pcommon.Map, to *sized) (v *violation) {
	if to.labels+m.Len() > l.Labels {
		return over(Labels, "limits::labels", to.labels+m.Len(), l.Labels)
	}
	for name, value := range m.All() {
		if v := l.attribute(name, value, to); v != nil {
			return v
		}
	}
	if to.bytes > l.Size {
		return over(LabelsSize, "limits::labels_size", to.bytes, l.Size)
	}
	return nil
}

// length returns how many bytes a value has as a label. It stops early when that is certainly more than limit.
func length(v pcommon.Value, limit int) int {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return len(v.Str())
	case pcommon.ValueTypeBytes:
		return (v.Bytes().Len() + 2) / 3 * 4
	case pcommon.ValueTypeMap, pcommon.ValueTypeSlice:
		if n := nested(v, limit); n > limit {
			return n
		}
		return len(v.AsString()) // at most six bytes for each, as JSON escapes them
	default:
		return len(v.AsString())
	}
}

// nested returns a lower bound of the bytes that a value has as JSON. Each level counts, so it recurses no deeper than limit.
func nested(v pcommon.Value, limit int) (n int) {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		n = 2
		for name, value := range v.Map().All() {
			if n += len(name) + 4; n <= limit {
				n += nested(value, limit-n)
			}
			if n > limit {
				return n
			}
		}
	case pcommon.ValueTypeSlice:
		n = 2
		for _, value := range v.Slice().All() {
			if n += 1 + nested(value, limit-n); n > limit {
				return n
			}
		}
	case pcommon.ValueTypeStr, pcommon.ValueTypeBytes:
		return length(v, limit)
	default:
		return 1
	}
	return n
}
