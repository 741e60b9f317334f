package sli

import (
	"crypto/rand"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

const instanceKey = "service.instance.id"

// identity is the resource of the metrics: the service is the gateway itself, the instance the name of its counts. A name
// stays as long as the counts go on, over crashes and restarts. No other counts have it: neither those of another gateway or
// connector, nor those that begin anew.
func identity(name string) pcommon.Resource {
	res := pcommon.NewResource()
	res.Attributes().PutStr("service.name", "slowburn")
	res.Attributes().PutStr(instanceKey, name)
	return res
}

// newName names counts that begin anew, at zero: by what the Collector's own telemetry calls this process, and the name of an
// `sli/name`.
func newName(telemetry pcommon.Resource, id component.ID) string {
	name := rand.Text()
	if v, ok := telemetry.Attributes().Get(instanceKey); ok && v.AsString() != "" {
		name = v.AsString()
	}
	if id.Name() != "" {
		name += "/" + id.Name()
	}
	return name
}
