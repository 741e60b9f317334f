package doors

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
)

// Connections limits the open connections of a server. At the limit, a new one replaces the oldest whose handlers are idle: it waits
// for a request, or its client sends slowly. So slow clients lock out nobody, probes in particular. If handlers run on all, the new one
// is closed.
type Connections struct {
	Limit   int
	Logger  *zap.Logger
	Refused func(context.Context, Reason)

	mu    sync.Mutex // held while a connection is added or removed
	order list.List  // of *connection, the oldest first
	open  map[net.Conn]*list.Element
	quiet time.Time // nothing is logged before it
}

// connection is an open connection.
type connection struct {
	conn    net.Conn
	working atomic.Int32 // requests whose handlers run
}

type connectionKey struct{}

// Context is the server's ConnContext.
func (c *Connections) Context(ctx context.Context, conn net.Conn) context.Context {
	one := &connection{conn: conn}
	if closed := c.add(one); closed != nil {
		hangUp(closed)
		c.Refused(ctx, ReasonConnections)
		c.log()
	}
	return context.WithValue(ctx, connectionKey{}, one)
}

// State is the server's ConnState.
func (c *Connections) State(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.remove(conn)
	}
}

// Working marks the connections of requests that next works on: they keep their place.
func (c *Connections) Working(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if one, ok := r.Context().Value(connectionKey{}).(*connection); ok {
			one.working.Add(1)
			defer one.working.Add(-1)
		}
		next.ServeHTTP(w, r)
	})
}

// add adds a connection, and returns the one to close for it, which may be the same; nil below the limit.
func (c *Connections) add(added *connection) (closed net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[net.Conn]*list.Element{}
	}
	if c.order.Len() >= c.Limit {
		if closed = c.oldestUnworked(); closed == nil {
			return added.conn
		}
		c.remove(closed)
	}
	c.open[added.conn] = c.order.PushBack(added)
	return closed
}

func (c *Connections) oldestUnworked() net.Conn {
	for e := c.order.Front(); e != nil; e = e.Next() {
		if one := e.Value.(*connection); one.working.Load() == 0 {
			return one.conn
		}
	}
	return nil
}

// remove forgets a connection, if it is known. The mutex must be held.
func (c *Connections) remove(conn net.Conn) {
	if e, known := c.open[conn]; known {
		c.order.Remove(e)
		delete(c.open, conn)
	}
}

// hangUp closes a connection without TLS' closing message, which a peer that does not read would delay. The server finds it closed.
func hangUp(conn net.Conn) {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	_ = conn.Close()
}

// log logs at most once a minute that the limit is reached.
func (c *Connections) log() {
	now := clock.Now()
	c.mu.Lock()
	said := now.Before(c.quiet)
	if !said {
		c.quiet = now.Add(time.Minute)
	}
	c.mu.Unlock()
	if !said {
		c.Logger.Warn("web::max_connections reached: idle connections to the dashboard were closed for new ones", zap.Int("max_connections", c.Limit))
	}
}
