package sli

import (
	"crypto/rand"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// identity is the resource of the metrics: the service is the gateway itself, the instance what the Collector's own
// telemetry calls this process, and the name of an `sli/name`. The counts of two gateways, of two connectors in one, or of
// one before and after a restart, are so never taken for one series.
func identity(telemetry pcommon.Resource, id component.ID) pcommon.Resource {
	const instance = "service.instance.id"
	res := pcommon.NewResource()
	res.Attributes().PutStr("service.name", "slowburn")
	name := rand.Text()
	if v, ok := telemetry.Attributes().Get(instance); ok && v.AsString() != "" {
		name = v.AsString()
	}
	if id.Name() != "" {
		name += "/" + id.Name()
	}
	res.Attributes().PutStr(instance, name)
	return res
}
