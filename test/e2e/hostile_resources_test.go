//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// smallContainer is the memory of a small container in bytes, and smallContainerConfig a gateway's configuration for it.
const (
	smallContainer       = 256 << 20
	smallContainerConfig = "yaml:{receivers: {otlp: {intake_budget: 64MiB}}, processors: {tail_sampling: {memory_budget: 16MiB, maximum_trace_size_bytes: 4MiB}}}"
)

// TestHostileResources sends traces that are kept, with resources and scopes as large as requests allow. Each is stored, and sent to each
// destination, with every span that has it, and gzip makes the requests small. The gateway stays within a container of 256 MiB with any
// number of destinations, and still delivers the traces of other clients.
func TestHostileResources(t *testing.T) {
	parallelHeavy(t)
	b := startBackend(t)
	for destinations := 1; destinations <= 3; destinations++ {
		t.Run(fmt.Sprint(destinations, " destinations"), func(t *testing.T) {
			var all []exporter
			tenant := func(i int) string { return fmt.Sprint("resources", destinations, "of", i) }
			for i := range destinations {
				all = append(all, exporter{id: fmt.Sprint("otlp_grpc/", i), endpoint: b.grpc, options: fmt.Sprintf("headers: {tenant: %s}", tenant(i))})
			}
			g := newGateway(t, builtGateway(t), []string{"GOMEMLIMIT=230MiB"}, "testdata/delivery.yaml", smallContainerConfig, exporters(all...))
			g.start(t)
			pid := g.cmd.Process.Pid
			anonymous := watchMemory(t, pid)
			for n, a := range resourceAttacks() {
				if !soaking() && n%3 != destinations-1 {
					continue // each attack is made with one number of destinations; `make soak` makes all with each number
				}
				began := time.Now()
				answers := map[int]int{}
				bodies := make([][]byte, 16)
				for i := range bodies {
					bodies[i] = gzipped(t, a.body(i))
				}
				codes := make([]int, len(bodies))
				together(len(bodies), func(i int) { codes[i] = g.postBody(t, "/v1/traces", "application/x-protobuf", "gzip", bodies[i]) })
				for _, code := range codes {
					answers[code]++
					assert.Contains(t, []int{http.StatusOK, http.StatusTooManyRequests, http.StatusServiceUnavailable}, code, a.name)
				}
				time.Sleep(2 * time.Second) // the traces are decided and sent
				t.Logf("%-36s 16 times %5d bytes: %3d MiB at the peak, %3d with pages of files; %s, answers %v", a.name, len(bodies[0]),
					anonymous()>>20, memory(t, pid, "VmHWM:")>>20, time.Since(began).Round(time.Millisecond), answers)
				require.NotContains(t, g.ended(), true, "the gateway ended: %s", a.name)
			}
			assert.Less(t, anonymous(), smallContainer*9/10, "memory that the system cannot reclaim")
			require.Eventually(t, func() bool {
				for _, d := range g.destinations(t).Destinations {
					if d.Backlog.Traces > 0 {
						return false
					}
				}
				return true
			}, patience, time.Second, "accepted traces stay undelivered: %+v", g.destinations(t))
			sent := newTraffic(uint64(780+destinations)).traces(20, boring)
			g.sendAll(t, sent)
			for i := range destinations {
				b.awaitAll(t, soon, sent, tenant(i))
			}
		})
	}
}

// watchMemory returns a function that returns the peak so far of a process's anonymous memory, in bytes. Pages of files are not in it:
// the system can reclaim them, and does in a container.
func watchMemory(t *testing.T, pid int) (peak func() int) {
	t.Helper()
	var most atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			most.Store(max(most.Load(), int64(memory(t, pid, "RssAnon:"))))
			time.Sleep(5 * time.Millisecond)
		}
	})
	t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
	return func() int { return int(most.Load()) }
}

// resourceAttack makes bodies of requests, each with new traces.
type resourceAttack struct {
	name string
	body func(request int) []byte
}

func resourceAttacks() []resourceAttack {
	const resource, scope, spans = 1, 2, 2
	large := func(size int, label string, i int) []byte { // an attribute
		value := append([]byte(fmt.Sprint(label, i, ":")), bytes.Repeat([]byte("x"), size)...)
		return field(append(field([]byte("hostile"), 1), field(field(value, 1), 2)...), 1)
	}
	// request makes bodies of groups, each a resource with a scope, an attribute of a size on one of them, and members, which are spans.
	request := func(groups, size, members int, ofScope, oneTrace bool) func(int) []byte {
		return func(i int) (body []byte) {
			for n := range groups {
				var group []byte
				header := large(size, "r", i*groups+n)
				inner := []byte{}
				if ofScope {
					inner = field(append(field([]byte("scope"), 1), field(header[scopeAttributeHead(header):], 3)...), 1)
				} else {
					group = field(header, resource)
				}
				for m := range members {
					trace := uint64(i)<<32 | 1
					if !oneTrace {
						trace = uint64(i)<<32 | uint64(n*members+m+1)
					}
					inner = append(inner, field(hostileSpan(trace, uint64(n*members+m+1)), spans)...)
				}
				body = append(body, field(append(group, field(inner, scope)...), 1)...)
			}
			return body
		}
	}
	return []resourceAttack{
		{"a resource of 9 MB", request(1, 9_000_000, 1, false, true)},
		{"a resource of 1 MB on 100 spans", request(1, 1_000_000, 100, false, true)},
		{"a resource of 1 MB on 100 traces", request(1, 1_000_000, 100, false, false)},
		{"a scope of 1 MB on 100 spans", request(1, 1_000_000, 100, true, true)},
		{"40 resources of 200 kB", request(40, 200_000, 1, false, true)},
		{"a resource of 200 kB on 1000 spans", request(1, 200_000, 1000, false, true)},
		{"300 resources of 30 kB", request(300, 30_000, 1, false, true)},
		{"300 traces, resources of 30 kB", request(300, 30_000, 1, false, false)},
		{"a resource of 60 kB on 1000 traces", request(1, 60_000, 1000, false, false)},
		{"100 resources of 30 kB, of one trace", request(100, 30_000, 1, false, true)},
	}
}

// scopeAttributeHead returns the size of the tag and the length in front of an attribute in a message.
func scopeAttributeHead(attribute []byte) int {
	_, n := binary.Uvarint(attribute[1:])
	return 1 + n
}

// hostileSpan returns a Span message with an error, so that its trace is kept.
func hostileSpan(trace, id uint64) []byte {
	span := field(binary.BigEndian.AppendUint64(make([]byte, 8), trace), 1)
	span = append(span, field(binary.BigEndian.AppendUint64(nil, id), 2)...)
	span = append(span, field([]byte("hostile"), 5)...)
	return append(span, field([]byte{3 << 3, 2}, 15)...)
}
