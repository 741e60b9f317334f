package samples

import (
	"cmp"

	"github.com/prometheus/common/model"

	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/ledger/parts"
)

// partOf returns the part that a series counts, by the labels that the connector sli writes. The result of a PromQL objective's query
// may have the same labels, or the common ones: service, operation, version.
func partOf(m model.Metric) parts.Part {
	return parts.Part{
		Service:   string(cmp.Or(m["service_name"], m["service"])),
		Operation: string(cmp.Or(m["span_name"], m["operation"])),
		Version:   string(cmp.Or(m["service_version"], m["version"])),
		Reason:    string(m["reason"]),
	}
}

// part adds events of a part. Increments of a series in one minute come one after the other, and become one delta.
func (c *Counts) part(p parts.Part, m ledger.Minute, bad bool, n float64) {
	if n == 0 {
		return
	}
	if last := len(c.Parts) - 1; last >= 0 {
		if d := &c.Parts[last]; d.Minute == m && d.Bad == bad && d.Part == p {
			d.N += n
			return
		}
	}
	c.Parts = append(c.Parts, parts.Delta{Part: p, Minute: m, Bad: bad, N: n})
}
