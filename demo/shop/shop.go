package shop

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// Shop is the running services. Visit may be called concurrently.
type Shop struct {
	Faults Faults

	frontend, cart, catalog, payment, inventory, fulfilment *service
	// checkout runs in the stable version and, beside it, in the badly deployed one.
	checkout, checkoutV2 *service

	browser *http.Client
	orders  *queue
	waiting sync.WaitGroup
	stop    context.CancelFunc
}

// New starts the shop. Its services export to the OTLP/gRPC endpoint, host:port. ctx bounds the start only.
func New(ctx context.Context, endpoint string) (*Shop, error) {
	s := &Shop{browser: &http.Client{Timeout: 10 * time.Second}}
	exact := func() time.Duration { return 0 }
	ahead := func() time.Duration {
		if s.Faults.On(SkewedClock) {
			return 3 * time.Second
		}
		return 0
	}
	for _, place := range []struct {
		into **service
		process
	}{
		{&s.frontend, process{"frontend", "3.2.0", "web-1", 101, exact}},
		{&s.cart, process{"cart", "1.8.1", "app-1", 201, exact}},
		{&s.catalog, process{"catalog", "5.0.3", "app-2", 202, ahead}},
		{&s.checkout, process{"checkout", "1.9.0", "app-1", 203, exact}},
		{&s.checkoutV2, process{"checkout", "2.0.0", "app-3", 204, exact}},
		{&s.payment, process{"payment", "2.4.0", "app-3", 205, exact}},
		{&s.inventory, process{"inventory", "1.1.7", "app-2", 206, exact}},
		{&s.fulfilment, process{"fulfilment", "0.9.2", "worker-1", 301, exact}},
	} {
		sdk, err := newTelemetry(ctx, endpoint, place.process)
		if err != nil {
			return nil, err
		}
		*place.into = newService(place.service, sdk)
	}
	s.orders = newQueue(s.fulfilment)
	s.routes()
	for _, service := range s.services() {
		if err := service.start(ctx); err != nil {
			return nil, err
		}
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = cancel
	s.waiting.Go(func() { s.orders.consume(running) })
	return s, nil
}

func (s *Shop) services() []*service {
	return []*service{
		s.frontend, s.cart, s.catalog, s.checkout, s.checkoutV2, s.payment, s.inventory, s.fulfilment,
	}
}

// Close ends requests in flight and exports the last spans.
func (s *Shop) Close(ctx context.Context) error {
	s.stop()
	s.waiting.Wait()
	var errs []error
	for _, service := range s.services() {
		errs = append(errs, service.stop(ctx))
	}
	s.browser.CloseIdleConnections()
	return errors.Join(errs...)
}

// Visit simulates one customer: mostly browsing, sometimes filling the cart, sometimes buying. It reports whether
// all requests succeeded.
func (s *Shop) Visit(ctx context.Context) (bool, error) {
	method, path := http.MethodGet, "/"
	switch n := rand.IntN(10); {
	case n < 4:
		path = "/product"
	case n < 6:
		method, path = http.MethodPost, "/cart"
	case n < 9:
		method, path = http.MethodPost, "/checkout"
	}
	req, err := http.NewRequestWithContext(ctx, method, s.frontend.url+path, http.NoBody)
	if err != nil {
		return false, err
	}
	resp, err := s.browser.Do(req)
	if err != nil {
		return false, err
	}
	return resp.StatusCode < http.StatusInternalServerError, resp.Body.Close()
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// jitter varies d by up to a half either way.
func jitter(d time.Duration) time.Duration { return d/2 + time.Duration(rand.Int64N(int64(d)+1)) }

// chance reports whether an event of this probability happens.
func chance(share float64) bool { return rand.Float64() < share }
