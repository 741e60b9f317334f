package doors_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/web/internal/doors"
)

// limited is a server with a limit on connections.
type limited struct {
	*httptest.Server
	refused atomic.Int64
	logs    *observer.ObservedLogs
}

func startLimited(t *testing.T, limit int, tls bool, h http.Handler) *limited {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	s := &limited{logs: logs}
	c := &doors.Connections{Limit: limit, Logger: zap.New(core), Refused: func(_ context.Context, r doors.Reason) {
		assert.Equal(t, doors.ReasonConnections, r)
		s.refused.Add(1)
	}}
	s.Server = httptest.NewUnstartedServer(c.Working(h))
	ours := s.Config.ConnState
	s.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		c.State(conn, state)
		if ours != nil {
			ours(conn, state)
		}
	}
	s.Config.ConnContext = c.Context
	s.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *limited) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// closed reports whether the server has closed the connection, or closes it within a minute.
func closed(t *testing.T, conn net.Conn, within time.Duration) bool {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(clock.Deadline(within)))
	_, err := conn.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// TestSlowClientsBlockNoOthers: while clients occupy every connection with half a request, or half a handshake, others are answered.
func TestSlowClientsBlockNoOthers(t *testing.T) {
	for name, start := range map[string]string{"plain": "GET / HTTP/1.1\r\nHost: local", "TLS": "\x16\x03\x01"} {
		t.Run(name, func(t *testing.T) {
			s := startLimited(t, 4, name == "TLS", inside)
			var slow []net.Conn
			for range 6 {
				conn := s.dial(t)
				_, _ = io.WriteString(conn, start)
				slow = append(slow, conn)
			}
			assert.True(t, closed(t, slow[0], time.Minute), "the oldest made room")
			for range 3 {
				client := s.Client()
				answer, err := client.Get(s.URL)
				require.NoError(t, err)
				require.NoError(t, answer.Body.Close())
				assert.Equal(t, http.StatusOK, answer.StatusCode)
				client.CloseIdleConnections()
			}
			assert.Eventually(t, func() bool { return s.refused.Load() >= 3 }, time.Minute, time.Millisecond)
			assert.Equal(t, 1, s.logs.Len(), "said once")
		})
	}
}

// TestBusyConnectionsStayOpen: a connection with a request in progress is not closed; if all are in use, a new one is closed.
func TestBusyConnectionsStayOpen(t *testing.T) {
	arrived, leave := make(chan struct{}, 2), make(chan struct{})
	s := startLimited(t, 2, false, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-leave
		_, _ = w.Write([]byte("done"))
	}))
	answers := make(chan string, 2)
	for range 2 {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		go func() {
			answer, err := client.Get(s.URL)
			if err != nil {
				answers <- err.Error()
				return
			}
			text, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			answers <- string(text)
		}()
		<-arrived
	}
	assert.True(t, closed(t, s.dial(t), time.Minute))
	assert.Eventually(t, func() bool { return s.refused.Load() == 1 }, time.Minute, time.Millisecond)
	close(leave)
	assert.Equal(t, "done", <-answers)
	assert.Equal(t, "done", <-answers)
	assert.Eventually(t, func() bool { return !closed(t, s.dial(t), 50*time.Millisecond) }, time.Minute, time.Millisecond, "there is room again")
}
