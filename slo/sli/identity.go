package sli

import (
	"crypto/rand"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// identity is the resource of the metrics: the service is the gateway itself, the instance what the Collector's own
// telemetry calls this process. The counts of two gateways, or of one before and after a restart, are so never taken
// for one series.
func identity(telemetry pcommon.Resource) pcommon.Resource {
	const instance = "service.instance.id"
	res := pcommon.NewResource()
	res.Attributes().PutStr("service.name", "slowburn")
	if id, ok := telemetry.Attributes().Get(instance); ok && id.AsString() != "" {
		res.Attributes().PutStr(instance, id.AsString())
	} else {
		res.Attributes().PutStr(instance, rand.Text())
	}
	return res
}
