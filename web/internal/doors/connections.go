package doors

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
)

// Connections limits how many connections of a server are open: one that is too many is closed before a byte is read of it.
type Connections struct {
	Limit   int64
	Logger  *zap.Logger
	Refused func(context.Context, Reason)

	open  atomic.Int64
	quiet atomic.Int64 // until when nothing is logged, in Unix seconds
	known sync.Map     // net.Conn: those that are counted
}

// State is the server's ConnState.
func (c *Connections) State(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if c.open.Add(1) <= c.Limit {
			c.known.Store(conn, struct{}{})
			return
		}
		c.open.Add(-1)
		_ = conn.Close() // the server finds it closed, and lets go of it
		c.Refused(context.Background(), ReasonConnections)
		c.log()
	case http.StateClosed, http.StateHijacked:
		if _, counted := c.known.LoadAndDelete(conn); counted {
			c.open.Add(-1)
		}
	}
}

// log says at most once a minute that the limit is reached.
func (c *Connections) log() {
	now := clock.Now()
	until := c.quiet.Load()
	if now.Unix() >= until && c.quiet.CompareAndSwap(until, now.Add(time.Minute).Unix()) {
		c.Logger.Warn("connections to the dashboard are refused: as many are open as web::max_connections lets", zap.Int64("max_connections", c.Limit))
	}
}
