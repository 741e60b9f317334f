package shop

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// routes are the services' routes, with the effects of the faults.
func (s *Shop) routes() {
	s.frontend.handle("GET /", func(ctx context.Context) error {
		s.frontend.work(ctx, "render home", 4*time.Millisecond)
		return s.frontend.call(ctx, http.MethodGet, s.catalog.url+"/featured")
	})
	s.frontend.handle("GET /product", func(ctx context.Context) error {
		if err := s.frontend.call(ctx, http.MethodGet, s.catalog.url+"/products"); err != nil {
			return err
		}
		return s.frontend.call(ctx, http.MethodGet, s.inventory.url+"/stock")
	})
	s.frontend.handle("POST /cart", func(ctx context.Context) error {
		return s.frontend.call(ctx, http.MethodPost, s.cart.url+"/items")
	})
	s.frontend.handle("POST /checkout", func(ctx context.Context) error {
		checkout := s.checkout
		if s.Faults.On(BadDeploy) {
			checkout = s.checkoutV2
		}
		return s.frontend.call(ctx, http.MethodPost, checkout.url+"/orders")
	})

	s.catalog.handle("GET /featured", s.readCatalog)
	s.catalog.handle("GET /products", s.readCatalog)
	s.catalog.handle("GET /prices", func(ctx context.Context) error {
		if s.Faults.On(RetryStorm) && chance(0.7) {
			return errors.New("price list is being rebuilt")
		}
		return s.readCatalog(ctx)
	})

	s.cart.handle("POST /items", func(ctx context.Context) error {
		s.cart.query(ctx, "redis", "HSET", "carts", 2*time.Millisecond)
		return s.askPrices(ctx)
	})
	s.cart.handle("GET /items", func(ctx context.Context) error {
		s.cart.query(ctx, "redis", "HGETALL", "carts", 2*time.Millisecond)
		return s.askPrices(ctx)
	})

	s.inventory.handle("GET /stock", s.readStock)
	s.inventory.handle("POST /reservations", func(ctx context.Context) error {
		if err := s.readStock(ctx); err != nil {
			return err
		}
		s.inventory.query(ctx, "postgresql", "UPDATE", "stock", 4*time.Millisecond)
		return nil
	})

	s.payment.handle("POST /charges", func(ctx context.Context) error {
		s.payment.work(ctx, "authorize card", 12*time.Millisecond, attribute.String("payment.scheme", "visa"))
		if s.Faults.On(Errors) && chance(0.4) {
			return errors.New("card processor declined the connection")
		}
		s.payment.query(ctx, "postgresql", "INSERT", "charges", 3*time.Millisecond)
		if s.Faults.On(LostResponse) && chance(0.33) {
			return http.ErrAbortHandler
		}
		return nil
	})

	s.checkout.handle("POST /orders", func(ctx context.Context) error { return s.order(ctx, s.checkout) })
	s.checkoutV2.handle("POST /orders", func(ctx context.Context) error {
		if chance(0.25) {
			s.checkoutV2.work(ctx, "apply discount", time.Millisecond)
			return errors.New("discount code is nil")
		}
		return s.order(ctx, s.checkoutV2)
	})
}

// order charges the customer for the cart, and sends the order to the queue.
func (s *Shop) order(ctx context.Context, checkout *service) error {
	for _, step := range []struct{ method, url string }{
		{http.MethodGet, s.cart.url + "/items"},
		{http.MethodPost, s.inventory.url + "/reservations"},
		{http.MethodPost, s.payment.url + "/charges"},
	} {
		if err := checkout.call(ctx, step.method, step.url); err != nil {
			return err
		}
	}
	checkout.query(ctx, "postgresql", "INSERT", "orders", 4*time.Millisecond)
	s.orders.publish(ctx, checkout)
	return nil
}

// askPrices makes a retry storm: it repeats a failed call at once.
func (s *Shop) askPrices(ctx context.Context) error {
	attempts := 1
	if s.Faults.On(RetryStorm) {
		attempts = 5
	}
	var err error
	for attempt := range attempts {
		if err = s.cart.call(ctx, http.MethodGet, s.catalog.url+"/prices"); err == nil {
			return nil
		}
		trace.SpanFromContext(ctx).AddEvent("retry", trace.WithAttributes(attribute.Int("attempt", attempt+1)))
	}
	return err
}

func (s *Shop) readCatalog(ctx context.Context) error {
	s.catalog.query(ctx, "postgresql", "SELECT", "products", 5*time.Millisecond)
	return nil
}

func (s *Shop) readStock(ctx context.Context) error {
	if s.Faults.On(Latency) {
		s.inventory.work(ctx, "wait for lock", 1500*time.Millisecond)
	}
	s.inventory.query(ctx, "postgresql", "SELECT", "stock", 3*time.Millisecond)
	return nil
}
