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
	sli, eu := component.MustNewID("sli"), component.MustNewIDWithName("sli", "eu")
	assert.Equal(t, map[string]any{"service.name": "slowburn", "service.instance.id": "i-1"}, identity(newName(res, sli)).Attributes().AsRaw())
	assert.Equal(t, "i-1/eu", newName(res, eu), "so that two connectors of one process are two instances")

	assert.NotEqual(t, newName(pcommon.NewResource(), sli), newName(pcommon.NewResource(), sli), "two counts are never one instance")
}
