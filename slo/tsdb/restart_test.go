package tsdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
)

// TestRestart: floats, histograms and out-of-order samples survive a restart; counters continue.
func TestRestart(t *testing.T) {
	config := testConfig(t)
	at := now()
	var want model.Value
	for i := range 3 {
		e := start(t, config)
		x := startExporter(t, e)
		if i > 0 {
			got, err := e.Query(t.Context(), `{__name__=~".+"}[10m]`, at)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
		md, sm := resource(gateway)
		points := newSum(sm, "c", cumulative)
		addPoint(points, at.Add(time.Duration(i-2)*time.Second), int64(i))
		newExponential(sm, "d", at.Add(time.Duration(i-2)*time.Second), uint64(i), 1)
		require.NoError(t, x.ConsumeMetrics(t.Context(), md))
		md, sm = resource(gateway)
		addPoint(newSum(sm, "c", cumulative), at.Add(time.Duration(i-9)*time.Second), int64(i))
		require.NoError(t, x.ConsumeMetrics(t.Context(), md))

		var err error
		want, err = e.Query(t.Context(), `{__name__=~".+"}[10m]`, at)
		require.NoError(t, err)
		require.Len(t, want, 2)
		require.NoError(t, e.Shutdown(t.Context()))
	}
}

// TestSecondInstance: a second instance on the same directory fails to start, and does not affect the first.
func TestSecondInstance(t *testing.T) {
	config := testConfig(t)
	e := start(t, config)
	second, err := NewExtensionFactory().Create(t.Context(), extensiontest.NewNopSettings(componentType), config)
	require.NoError(t, err)
	err = second.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorContains(t, err, "another process has it open: stop that one, or set directory to a place of its own")
	require.NoError(t, second.Shutdown(t.Context()))

	assert.True(t, e.Probe(t.Context()).OK)
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, start(t, config).Shutdown(t.Context()))
}

// TestDamagedLog overwrites the write-ahead log: the database opens, reports it, and works.
func TestDamagedLog(t *testing.T) {
	config := testConfig(t)
	at := now()
	e := start(t, config)
	x := startExporter(t, e)
	for i := range 100 {
		md, sm := resource(gateway)
		addPoint(newSum(sm, "c", cumulative), at.Add(time.Duration(i-100)*time.Second), int64(i), "k", fmt.Sprint(i%7))
		require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	}
	require.NoError(t, e.Shutdown(t.Context()))
	segment := filepath.Join(config.Directory, "wal", "00000000")
	content, err := os.ReadFile(segment)
	require.NoError(t, err)
	const damage = 2000 // the records lie at the beginning, the rest of the page is empty
	require.Greater(t, len(content), damage)
	for i := damage; i < len(content); i++ {
		content[i] ^= 0x5a
	}
	require.NoError(t, os.WriteFile(segment, content, 0o600))

	e = start(t, config)
	health := e.Probe(t.Context())
	assert.True(t, health.OK)
	assert.Contains(t, health.Message, "1 repairs at the start")
	left := number(t, e, `sum(count_over_time(c_total[1h]))`, at)
	assert.True(t, left > 0 && left < 100, "what came before the damage is there: %v", left)
	md, sm := resource(gateway)
	addPoint(newSum(sm, "c", cumulative), at, 1, "k", "new")
	require.NoError(t, startExporter(t, e).ConsumeMetrics(t.Context(), md))
}

// TestShutdownWaits: a query in flight is cancelled and has ended before the database's files are unmapped.
func TestShutdownWaits(t *testing.T) {
	e := start(t, testConfig(t))
	ctx, _, leave, err := e.enter(t.Context())
	require.NoError(t, err)

	hasty, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, e.Shutdown(hasty), "still waiting for queries to end")
	<-ctx.Done() // the query is cancelled
	leave()
	require.NoError(t, e.Shutdown(t.Context()))
	_, err = e.Query(t.Context(), "up", now())
	require.ErrorIs(t, err, errNotRunning)
}

// TestShutdownUnderLoad shuts down amid reads and writes. Each ends with its result or an error, and none reads a mapped file
// after it is unmapped.
func TestShutdownUnderLoad(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e)
	at := now()
	api := e.PrometheusAPI()
	var clients sync.WaitGroup
	running := make(chan struct{}, 6)
	for i := range cap(running) {
		clients.Go(func() {
			for n := 0; ; n++ {
				md, sm := resource(gateway)
				addPoint(newSum(sm, "c", cumulative), at.Add(time.Duration(n)*time.Millisecond), int64(n), "client", fmt.Sprint(i))
				writeErr := x.ConsumeMetrics(context.Background(), md)
				_, readErr := e.Query(context.Background(), `sum(rate(c_total[5m]))`, at)
				w := httptest.NewRecorder()
				api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/series?match[]=c_total", nil))
				if n == 5 {
					running <- struct{}{}
				}
				if writeErr != nil && readErr != nil && w.Code != http.StatusOK {
					assert.ErrorIs(t, writeErr, errNotRunning)
					assert.ErrorIs(t, readErr, errNotRunning)
					return
				}
			}
		})
	}
	for range cap(running) {
		<-running
	}
	require.NoError(t, e.Shutdown(t.Context()))
	clients.Wait()
}

func TestExplainOpen(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{syscall.EWOULDBLOCK, "another process"},
		{&fs.PathError{Op: "mkdir", Path: "d", Err: syscall.EACCES}, "fsGroup"},
		{fmt.Errorf("wrapped: %w", syscall.ENOSPC), "the volume of slowburn-data/tsdb is full"},
		{syscall.EROFS, "read-only"},
		{errors.New("anything"), "moved away"},
	} {
		err := explainOpen("slowburn-data/tsdb", test.err)
		require.ErrorIs(t, err, test.err)
		assert.ErrorContains(t, err, "open the time series database in slowburn-data/tsdb: ")
		assert.ErrorContains(t, err, test.want)
	}
}

// TestDirectoryIsAFile: the directory cannot be created.
func TestDirectoryIsAFile(t *testing.T) {
	config := testConfig(t)
	config.Directory = filepath.Join(config.Directory, "file")
	require.NoError(t, os.WriteFile(config.Directory, nil, 0o600))
	e, err := NewExtensionFactory().Create(t.Context(), extensiontest.NewNopSettings(componentType), config)
	require.NoError(t, err)
	require.ErrorContains(t, e.Start(t.Context(), componenttest.NewNopHost()), "open the time series database in "+config.Directory)
	require.NoError(t, e.Shutdown(t.Context()))
}
