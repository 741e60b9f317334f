package tailsampling

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// Late spans are found in any order, as some were copied forward. Their part begins with the first that came: what becomes
// of it is remembered by where it begins, and would not hold for one that came before.
func TestLatePartBeginsWithItsFirstSpan(t *testing.T) {
	p, err := newSamplerForTest(keepAll(diskConfig()))
	require.NoError(t, err)
	r := newReader(p, p.shards[0])
	id := wire.TraceID(traceID(1))
	var n uint32
	for _, at := range []spanlog.Position{300, 100, 200} {
		n = r.late(&fate{}, &spanlog.Found{Position: at}, id, 7)
	}
	require.Equal(t, spanlog.Position(100), p.shards[0].entries.At(n).from)
}
