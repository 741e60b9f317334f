package parts

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/slowburn/slowburn/slo/ledger"
)

// Other stands for all values of a dimension that have no row of their own. The connector sli uses the same text for what exceeds its
// own limits.
const Other = "__other__"

// maxText is the longest text of a part, in bytes. A longer one is cut.
const maxText = 256

// Part is where an event came from. An empty field is one that the event's series does not have; only bad events have a reason.
type Part struct {
	Service, Operation, Version, Reason string
}

// Delta holds events of one part in one minute. N need not be whole; NaN, infinite and negative counts are taken as 0. Bad events are
// counted twice: once with Bad and their reason, and once among all events, without.
type Delta struct {
	Part   Part
	Minute ledger.Minute
	Bad    bool
	N      float64
}

// group returns the part without its reason.
func (p Part) group() Part {
	p.Reason = ""
	return p
}

// cut shortens the part's texts to maxText.
func (p Part) cut() Part {
	return Part{Service: cutText(p.Service), Operation: cutText(p.Operation), Version: cutText(p.Version), Reason: cutText(p.Reason)}
}

func cutText(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// compare orders parts by service, version, operation and reason.
func (p Part) compare(q Part) int {
	return cmp.Or(cmp.Compare(p.Service, q.Service), cmp.Compare(p.Version, q.Version),
		cmp.Compare(p.Operation, q.Operation), cmp.Compare(p.Reason, q.Reason))
}

// Dimension is one of the things that events are broken down by.
type Dimension string

// The dimensions.
const (
	Service   Dimension = "service"
	Operation Dimension = "operation"
	Version   Dimension = "version"
	Reason    Dimension = "reason"
)

// Dimensions lists all dimensions.
var Dimensions = []Dimension{Service, Operation, Version, Reason}

// Of returns the part's value of the dimension.
func (d Dimension) Of(p Part) string {
	switch d {
	case Service:
		return p.Service
	case Operation:
		return p.Operation
	case Version:
		return p.Version
	default:
		return p.Reason
	}
}

// project returns the part with only the given dimensions.
func (p Part) project(by []Dimension) Part {
	var q Part
	for _, d := range by {
		switch d {
		case Service:
			q.Service = p.Service
		case Operation:
			q.Operation = p.Operation
		case Version:
			q.Version = p.Version
		case Reason:
			q.Reason = p.Reason
		}
	}
	return q
}

// other reports whether the part is Other in one of the given dimensions.
func (p Part) other(by []Dimension) bool {
	return slices.ContainsFunc(by, func(d Dimension) bool { return d.Of(p) == Other })
}
