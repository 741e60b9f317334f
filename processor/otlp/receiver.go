package otlp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
	"github.com/slowburn/slowburn/processor/otlp/internal/misdirected"
)

// shutdownGrace is the time for requests to end when the receiver stops. The Collector sets no limit, and a client that
// does not send the rest of its body would delay the delivery of buffered spans for ever.
const shutdownGrace = 10 * time.Second

// otlpReceiver serves both signals of one configuration. Its consumers are set before Start.
type otlpReceiver struct {
	cfg     *Config
	set     receiver.Settings
	forget  func()
	grace   time.Duration // shutdownGrace, except in tests
	budget  *intake.Budget
	traces  consumer.Traces
	untaken *untaken // of traces
	metrics consumer.Metrics
	// misdirected handles requests that it cannot serve, refusals counts those that it refuses. Start sets
	// both.
	misdirected *misdirected.Requests
	refusals    *refusals

	// mu guards the fields below. It is not held while servers stop.
	mu        sync.Mutex
	hosts     []component.Host // one per signal that was started
	stopped   bool
	listening []Endpoint
	failed    error // of a listener that failed after the start
	servers
}

// servers are the running servers and their listeners.
type servers struct {
	grpc    *grpc.Server
	http    *http.Server
	serving sync.WaitGroup
}

// Start is called once per signal. The last call opens the listeners.
func (r *otlpReceiver) Start(ctx context.Context, h component.Host) error {
	r.mu.Lock()
	r.hosts = append(r.hosts, h)
	var err error
	last := len(r.hosts) == r.signals()
	if last {
		if r.traces != nil && r.cfg.WirePath == nil {
			r.set.Logger.Info("traces are decoded, which costs more CPU: the confmap converter processor/otlp/wirepath, which " +
				"finds the pipelines that take bytes, is not part of this distribution")
		}
		err = r.listen(ctx, h)
	}
	r.mu.Unlock()
	switch {
	case err != nil:
		// One listener may be open, and the Collector does not shut down a component whose Start failed.
		return errors.Join(err, r.Shutdown(ctx))
	case last:
		host.Announce(h, r.set.ID, r)
	}
	return nil
}

// listen opens the listeners. The caller holds mu.
func (r *otlpReceiver) listen(ctx context.Context, h component.Host) (err error) {
	paths := HTTPConfig{TracesURLPath: defaultTracesPath, MetricsURLPath: defaultMetricsPath}
	if r.cfg.Protocols.HTTP.HasValue() {
		paths = *r.cfg.Protocols.HTTP.Get()
	}
	r.misdirected, err = misdirected.NewRequests(r.set.TelemetrySettings, string(paths.TracesURLPath), string(paths.MetricsURLPath), refuse)
	if err != nil {
		return err
	}
	if r.refusals, err = newRefusals(r.set.TelemetrySettings, r.budget); err != nil {
		return err
	}
	return errors.Join(r.startGRPC(ctx, h), r.startHTTP(ctx, h))
}

// signals returns the number of signals that are configured.
func (r *otlpReceiver) signals() int {
	n := 0
	if r.traces != nil {
		n++
	}
	if r.metrics != nil {
		n++
	}
	return n
}

// LogListening is the message of the line that says where a receiver listens, with fields protocol and endpoint.
const LogListening = "listening for OTLP"

// serve runs a server until it is shut down. The caller holds mu.
func (r *otlpReceiver) serve(name string, secure bool, l net.Listener, run func(net.Listener) error, closed error) {
	at := Endpoint{Protocol: name, Address: l.Addr().String(), TLS: secure}
	r.listening = append(r.listening, at)
	r.set.Logger.Info(LogListening, zap.String("protocol", name), zap.Stringer("endpoint", l.Addr()),
		zap.Bool("wire_path", r.cfg.wirePath()))
	r.serving.Go(func() {
		err := run(l)
		if err == nil || errors.Is(err, closed) {
			return
		}
		err = fmt.Errorf("%s: %w", at, err)
		r.mu.Lock()
		r.failed = err
		hosts := r.hosts
		r.mu.Unlock()
		for _, h := range hosts {
			componentstatus.ReportStatus(h, componentstatus.NewFatalErrorEvent(err))
		}
	})
}

// Shutdown is called once per signal. The first call closes the listeners and waits for the requests in flight, for
// grace and while ctx allows. Then it aborts them: they were not answered, so their senders retry.
func (r *otlpReceiver) Shutdown(ctx context.Context) error {
	r.mu.Lock()
	if r.stopped {
		r.mu.Unlock()
		return nil
	}
	r.stopped = true
	r.listening = nil
	hosts := r.hosts
	r.mu.Unlock()

	r.forget()
	if len(hosts) > 0 {
		host.Retract(hosts[len(hosts)-1], r.set.ID, r)
	}
	ctx, cancel := context.WithTimeout(ctx, r.grace)
	defer cancel()
	cutOff := func(protocol string) {
		r.set.Logger.Warn("requests aborted, they did not end in time", zap.String("protocol", protocol))
	}
	var wg sync.WaitGroup
	var httpErr error
	if r.http != nil {
		wg.Go(func() {
			httpErr = r.http.Shutdown(ctx)
			if errors.Is(httpErr, context.DeadlineExceeded) || errors.Is(httpErr, context.Canceled) {
				cutOff("HTTP")
				httpErr = r.http.Close()
			}
		})
	}
	if r.grpc != nil {
		stop := context.AfterFunc(ctx, func() {
			cutOff("gRPC")
			r.grpc.Stop()
		})
		wg.Go(func() {
			r.grpc.GracefulStop()
			stop()
		})
	}
	wg.Wait()
	r.serving.Wait()
	if r.misdirected != nil {
		httpErr = errors.Join(httpErr, r.misdirected.Stop())
	}
	if r.refusals != nil {
		r.refusals.stop()
	}
	return httpErr
}

// Probe implements host.Prober: it reports whether the listeners are open.
func (r *otlpReceiver) Probe(context.Context) host.Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.failed != nil:
		return host.Health{Blocking: true, Message: "listener failed: " + r.failed.Error()}
	case len(r.listening) == 0:
		return host.Health{Blocking: true, Message: "not listening: the receiver has not started or is shutting down"}
	}
	var all []string
	for _, e := range r.listening {
		all = append(all, e.String())
	}
	return host.Health{OK: true, Blocking: true, Message: "listening: " + strings.Join(all, ", ")}
}

// Endpoint is an address of a receiver.
type Endpoint struct {
	Protocol string // gRPC or HTTP
	Address  string // host:port
	TLS      bool
}

// String returns a text such as "gRPC on 127.0.0.1:4317".
func (e Endpoint) String() string { return e.Protocol + " on " + e.Address }

// Endpoints returns the addresses of the open listeners. It may be called concurrently.
func (r *otlpReceiver) Endpoints() []Endpoint {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.listening)
}

// counted limits the connections of a listener.
func (r *otlpReceiver) counted(l net.Listener, transport string) *intake.Listener {
	return intake.NewListener(l, r.cfg.MaxConnections, func(net.Conn) {
		r.refusals.count(context.Background(), reasonConnections, transport)
	})
}

func (r *otlpReceiver) newObsReport(transport string) (*receiverhelper.ObsReport, error) {
	return receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: r.set.ID, Transport: transport, ReceiverCreateSettings: r.set,
	})
}
