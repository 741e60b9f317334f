package sli

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestIdentity(t *testing.T) {
	res := pcommon.NewResource()
	res.Attributes().PutStr("service.name", "otelcol")
	res.Attributes().PutStr("service.instance.id", "i-1")
	assert.Equal(t, map[string]any{"service.name": "slowburn", "service.instance.id": "i-1"}, identity(res, component.MustNewID("sli")).Attributes().AsRaw())
	assert.Equal(t, "i-1/eu", identity(res, component.MustNewIDWithName("sli", "eu")).Attributes().AsRaw()["service.instance.id"],
		"so that two connectors of one process are two instances")

	a, b := identity(pcommon.NewResource(), component.ID{}).Attributes(), identity(pcommon.NewResource(), component.ID{}).Attributes()
	assert.NotEqual(t, a.AsRaw(), b.AsRaw(), "two processes are never one instance")
}
