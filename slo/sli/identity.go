package sli

import (
	"crypto/rand"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

const instanceKey = "service.instance.id"

// identity returns the resource of the metrics: the service is the gateway, the instance the name of its counts. A name lasts
// as long as its counts go on, over crashes and restarts, and is unique: other gateways, other connectors and counts that begin
// anew have other names.
func identity(name string) pcommon.Resource {
	res := pcommon.NewResource()
	res.Attributes().PutStr("service.name", "slowburn")
	res.Attributes().PutStr(instanceKey, name)
	return res
}

// newName returns a name for counts that begin anew, at zero: the instance ID of the Collector's telemetry, and the name of an
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
