//go:build deploy

package check

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// smallVolume is the room of a volume that is soon full: what a gateway needs to start, and some spans.
const smallVolume = "size=96m,uid=65532,gid=65532,mode=0700"

// TestImageVolumeFull: on a full volume spans are refused with an answer that the sender retries and that names the disk, /readyz
// says so, and the gateway stays up, and starts again if it is stopped. With room it goes on by itself. Every acknowledged trace is in
// the trace store at last.
func TestImageVolumeFull(t *testing.T) {
	needNamespaces(t)
	dir := t.TempDir()
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, smallVolume))
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	p := container(t, dir)
	g := start(t, p)
	g.ready(t)

	var acknowledged []string
	var mu sync.Mutex
	var refusal answer
	sending, stop := context.WithCancel(t.Context())
	defer stop()
	var senders sync.WaitGroup
	for range 2 {
		senders.Go(func() {
			for {
				select {
				case <-sending.Done():
					return
				case <-time.After(5 * time.Millisecond): // of load
				}
				id := newTraceID()
				a := export(failed(id, "", 4<<10))
				mu.Lock()
				if a.acknowledged() {
					acknowledged = append(acknowledged, id)
				} else {
					refusal = a
				}
				mu.Unlock()
			}
		})
	}
	refused := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return refusal.status != 0
	}
	filler := filepath.Join(dir, "filler")
	await(t, "the full volume to refuse spans", func() bool {
		fill(t, filler)
		return refused()
	})
	mu.Lock()
	said := refusal
	mu.Unlock()
	assert.Equal(t, http.StatusServiceUnavailable, said.status, "which senders retry")
	assert.Contains(t, said.text, "/var/lib/slowburn/spans: no space left on device")
	await(t, "/readyz to say that spans are refused, and why", func() bool {
		fill(t, filler)
		var ready struct {
			Components []struct {
				ID, Message string
				OK          bool
			}
		}
		a := ask("http://127.0.0.1:8080/readyz")
		require.NoError(t, json.Unmarshal([]byte(a.text), &ready), a.text)
		for _, c := range ready.Components {
			if c.ID == "tail_sampling" && !c.OK && strings.Contains(c.Message, "no space left on device") {
				return a.status == http.StatusServiceUnavailable
			}
		}
		return false
	})
	require.False(t, g.ended(), "it stays up")
	g.stop(t)
	g = start(t, p)
	await(t, "a start on the full volume", func() bool {
		require.False(t, g.ended())
		return status("http://127.0.0.1:8080/readyz") != 0 && g.said(t, "Everything is ready")
	})

	require.NoError(t, os.Remove(filler))
	g.ready(t)
	mu.Lock()
	before := len(acknowledged)
	mu.Unlock()
	await(t, "spans to be taken again", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(acknowledged) > before+20
	})
	stop()
	senders.Wait()
	for _, id := range acknowledged {
		kept(t, id)
	}
	t.Logf("%d acknowledged traces, none lost", len(acknowledged))
}

// fill takes all the room that is left.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(t, err)
	defer file.Close()
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = file.Write(block)
	}
	var full *fs.PathError
	require.True(t, errors.As(err, &full) && errors.Is(err, syscall.ENOSPC), "%v", err)
}
