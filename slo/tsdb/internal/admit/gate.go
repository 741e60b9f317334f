package admit

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	// partSamples and partBytes bound a Part: samples, and the bytes of their labels and buckets.
	partSamples = 4096
	partBytes   = 4 << 20
	// extraLabels is how many labels translation adds to a point's own attributes: the name of the metric, and le or quantile.
	extraLabels = 2
	// sampleBytes is the memory of a sample in flight, without its labels.
	sampleBytes = 160
	// maxShown is how many bytes of a text a log line or an answer shows.
	maxShown = 128
)

// Gate checks metrics against limits.
type Gate struct {
	limits Limits
	// labelled are the resource attributes that become labels of every series.
	labelled map[string]struct{}
	// spread is how far apart in time the points of a resource are at most in a Part that is not Wide.
	spread time.Duration
}

// New returns a gate with the limits, for series that have the promoted resource attributes as labels.
func New(limits Limits, promoted []string, spread time.Duration) *Gate {
	g := &Gate{limits: limits, labelled: map[string]struct{}{"service.name": {}, "service.namespace": {}, "service.instance.id": {}}, spread: spread}
	for _, name := range promoted {
		g.labelled[name] = struct{}{}
	}
	return g
}

// Part is a part of a request, within all limits.
type Part struct {
	pmetric.Metrics
	// Own says that the part is a copy, which may be changed.
	Own bool
	// Wide says that the points of a resource are further apart in time than the gate's spread.
	Wide bool
}

// Pass calls yield with the parts of a request that are within the limits, and reject for the rest. It stops at an error of
// yield, and returns it.
func (g *Gate) Pass(md pmetric.Metrics, in Window, reject func(Rejection), yield func(Part) error) error {
	look := pass{gate: g, in: in, reject: func(Rejection) {}, looking: true}
	if look.all(md) == nil {
		return yield(Part{Metrics: md, Wide: look.wide})
	}
	p := pass{gate: g, in: in, reject: reject, yield: yield}
	if err := p.all(md); err != nil {
		return err
	}
	return p.flush()
}

// errNeedsCopy means that a request cannot be passed on as it came.
var errNeedsCopy = errors.New("unlike")

// pass is the work on one request: first a look at whether all of it fits into one part; if not, a second walk that copies.
type pass struct {
	gate    *Gate
	in      Window
	reject  func(Rejection)
	yield   func(Part) error
	looking bool

	admitted       int // samples of the request
	samples, bytes int // of the part
	wide           bool
	part           pmetric.Metrics
	resource       pmetric.ResourceMetrics // of the part, and what follows as well
	scope          pmetric.ScopeMetrics
	metric         pmetric.Metric
	open           [3]bool // which of them are begun
	times          [2]pcommon.Timestamp
}

func (p *pass) all(md pmetric.Metrics) error {
	for _, rm := range md.ResourceMetrics().All() {
		if err := p.ofResource(rm); err != nil {
			return err
		}
	}
	return nil
}

// refuse rejects points, or ends the first look.
func (p *pass) refuse(v *violation, points, samples int, metric string) error {
	if p.looking {
		return errNeedsCopy
	}
	p.reject(Rejection{v.reason, points, samples, Cut(metric, maxShown), v.err})
	return nil
}

func (p *pass) ofResource(rm pmetric.ResourceMetrics) error {
	p.open = [3]bool{}
	base, attributes, v := p.resourceLabels(rm.Resource().Attributes())
	if v != nil {
		n := 0
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				n += pointsOf(m).n
			}
		}
		return p.refuse(v, n, n, "")
	}
	if p.looking && attributes != rm.Resource().Attributes().Len() {
		return errNeedsCopy
	}
	for _, sm := range rm.ScopeMetrics().All() {
		p.open[1], p.open[2] = false, false
		for _, m := range sm.Metrics().All() {
			p.open[2] = false
			if err := p.ofMetric(rm, sm, m, base); err != nil {
				return err
			}
		}
	}
	return nil
}

// resourceLabels returns the size that a resource adds to each series, and how many of its attributes fit into target_info. It
// returns a violation if an attribute that becomes a label of all its series exceeds a limit.
func (p *pass) resourceLabels(m pcommon.Map) (base sized, fit int, v *violation) {
	l := &p.gate.limits
	all := sized{labels: extraLabels}
	base.labels = extraLabels
	for name, value := range m.All() {
		_, label := p.gate.labelled[name]
		switch {
		case label:
			if v := l.attribute(name, value, &base); v != nil {
				return base, 0, v
			}
			// service.name is in the label job as well, service.instance.id in instance
			base.bytes += length(value, l.Value)
		case !p.fits(name, value, &all):
			continue
		}
		fit++
	}
	if base.labels > l.Labels {
		return base, 0, over(Labels, "limits::labels", base.labels, l.Labels)
	}
	if base.bytes > l.Size {
		return base, 0, over(LabelsSize, "limits::labels_size", base.bytes, l.Size)
	}
	return base, fit, nil
}

// fits reports whether an attribute still fits into target_info, beside others.
func (p *pass) fits(name string, value pcommon.Value, all *sized) bool {
	l := &p.gate.limits
	before := *all
	if l.attribute(name, value, all) != nil || all.labels+extraLabels > l.Labels || all.bytes > l.Size {
		*all = before
		return false
	}
	return true
}

func (p *pass) ofMetric(rm pmetric.ResourceMetrics, sm pmetric.ScopeMetrics, m pmetric.Metric, base sized) error {
	l := &p.gate.limits
	all := pointsOf(m)
	var v *violation
	switch {
	case unfit(m):
		v = &violation{Untranslatable, errors.New("it has no type, or a sum or histogram has no temporality")}
	case all.n == 0:
		v = &violation{Untranslatable, errors.New("it has no data points")}
	case len(m.Name())+len(m.Unit()) > l.Value:
		v = &violation{LabelValue, fmt.Errorf("the name of the metric is longer than limits::label_value (%d)", l.Value)}
	}
	if v != nil {
		return p.refuse(v, all.n, max(all.n, 1), m.Name())
	}
	if p.looking && len(m.Description()) > maxHelp {
		return errNeedsCopy
	}
	base.bytes += len(m.Name()) + len(m.Unit())
	for i := range all.n {
		if err := p.ofPoint(rm, sm, m, base, all, i); err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) ofPoint(rm pmetric.ResourceMetrics, sm pmetric.ScopeMetrics, m pmetric.Metric, base sized, all points, i int) error {
	l := &p.gate.limits
	pt := all.at(i)
	v := p.in.check(pt.at)
	if v == nil && pt.buckets > l.Buckets {
		v = over(Buckets, "limits::buckets", pt.buckets, l.Buckets)
	}
	if v == nil {
		v = l.attributes(pt.attributes, &base)
	}
	if v == nil && p.admitted+pt.samples > l.Samples {
		v = over(Requests, "limits::samples_per_request", p.admitted+pt.samples, l.Samples)
	}
	if v != nil {
		return p.refuse(v, 1, pt.samples, m.Name())
	}
	p.admitted += pt.samples
	bytes := pt.samples*(base.bytes+sampleBytes) + 24*pt.buckets
	if p.looking {
		if p.grow(pt, bytes); p.samples > partSamples || p.bytes > partBytes || !p.exemplars(pt.exemplars) {
			return errNeedsCopy
		}
		p.open[0] = true
		return nil
	}
	if p.samples > 0 && (p.samples+pt.samples > partSamples || p.bytes+bytes > partBytes) {
		if err := p.flush(); err != nil {
			return err
		}
	}
	p.begin(rm, sm, m)
	p.grow(pt, bytes)
	n := 0
	all.copy(i, p.metric).RemoveIf(func(e pmetric.Exemplar) bool {
		n++
		return n > l.Buckets+1 || !p.exemplar(e)
	})
	return nil
}

// grow adds a point to the sizes and times of the part. The first of a resource starts its times.
func (p *pass) grow(pt point, bytes int) {
	p.samples += pt.samples
	p.bytes += bytes
	if !p.open[0] || p.times[0] > pt.at {
		p.times[0] = pt.at
	}
	if !p.open[0] || p.times[1] < pt.at {
		p.times[1] = pt.at
	}
	p.open[0] = true
	p.wide = p.wide || p.times[1].AsTime().Sub(p.times[0].AsTime()) > p.gate.spread
}

// begin makes the resource, the scope and the metric of a point in the part, unless they are begun.
func (p *pass) begin(rm pmetric.ResourceMetrics, sm pmetric.ScopeMetrics, m pmetric.Metric) {
	if p.samples == 0 {
		p.part, p.open = pmetric.NewMetrics(), [3]bool{}
	}
	if !p.open[0] {
		p.resource = p.part.ResourceMetrics().AppendEmpty()
		p.samples++ // target_info
		p.bytes += sampleBytes + p.copyResource(rm.Resource().Attributes(), p.resource.Resource().Attributes())
	}
	if !p.open[1] {
		p.scope = p.resource.ScopeMetrics().AppendEmpty()
		p.scope.Scope().SetName(Cut(sm.Scope().Name(), maxShown))
	}
	if !p.open[2] {
		p.metric = p.scope.Metrics().AppendEmpty()
		shell(m, p.metric)
	}
	p.open[1], p.open[2] = true, true
}

// copyResource copies the attributes that fit, and returns their size.
func (p *pass) copyResource(from, to pcommon.Map) (bytes int) {
	all := sized{labels: extraLabels}
	for name, value := range from.All() {
		if _, label := p.gate.labelled[name]; label || p.fits(name, value, &all) {
			value.CopyTo(to.PutEmpty(name))
		}
	}
	return all.bytes
}

func (p *pass) flush() error {
	if p.samples == 0 {
		return nil
	}
	part := Part{Metrics: p.part, Own: true, Wide: p.wide}
	p.samples, p.bytes, p.wide, p.open = 0, 0, false, [3]bool{}
	p.part = pmetric.Metrics{}
	return p.yield(part)
}

// exemplars reports whether all exemplars of a point can be passed on.
func (p *pass) exemplars(all pmetric.ExemplarSlice) bool {
	if all.Len() > p.gate.limits.Buckets+1 {
		return false
	}
	for _, e := range all.All() {
		if !p.exemplar(e) {
			return false
		}
	}
	return true
}

// exemplar reports whether an exemplar can be passed on. It cannot with more or longer labels than Prometheus keeps, which
// would drop it later, after work.
func (*pass) exemplar(e pmetric.Exemplar) bool {
	const most = 128 // Prometheus' own, in runes
	if e.ValueType() == pmetric.ExemplarValueTypeEmpty || e.FilteredAttributes().Len() > most {
		return false
	}
	for name, value := range e.FilteredAttributes().All() {
		if len(name) > 4*most || length(value, 4*most) > 4*most {
			return false
		}
	}
	return true
}

// Cut shortens a text to limit bytes, with an ellipsis at the end.
func Cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const mark = "…"
	cut := limit - len(mark)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.Clone(s[:cut]) + mark
}
