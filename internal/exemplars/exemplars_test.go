package exemplars

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
)

type keeper int

func (k keeper) PerMinute() int       { return int(k) }
func (keeper) Keep(wire.TraceID)      {}
func (keeper) Fate(wire.TraceID) Fate { return Kept }
func offered(of ...keeper) (got Keeper) {
	ctx, offer := NewContext(context.Background())
	for _, k := range of {
		var accepted Keeper = k
		Accept(ctx, &accepted)
	}
	return offer.Keeper()
}

func TestOffer(t *testing.T) {
	require.Nil(t, offered(), "nobody accepted it")
	require.Equal(t, keeper(3), offered(3))
	require.Equal(t, keeper(5), offered(3, 5), "the last one keeps")
	var none *Offer
	require.Nil(t, none.Keeper())
	var k Keeper = keeper(1)
	Accept(context.Background(), &k) // without an offer nothing happens
}
