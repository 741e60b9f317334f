package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/demo/shop"
	"github.com/slowburn/slowburn/internal/clock"
)

// maxInFlight is the largest number of customers in the shop at a time; further ones wait, uncounted.
const maxInFlight = 200

type visits struct{ all, failed int64 }

// drive sends customers at a rate per second until ctx ends, and waits for the last ones to end.
func drive(ctx context.Context, s *shop.Shop, rate float64) visits {
	var all, failed atomic.Int64
	var inFlight sync.WaitGroup
	places := make(chan struct{}, maxInFlight)
	ticker := clock.NewTicker(time.Duration(float64(time.Second) / rate))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			inFlight.Wait()
			return visits{all.Load(), failed.Load()}
		case <-ticker.C:
		}
		select {
		case places <- struct{}{}:
		default:
			continue
		}
		inFlight.Go(func() {
			defer func() { <-places }()
			well, err := s.Visit(context.WithoutCancel(ctx))
			all.Add(1)
			if err != nil || !well {
				failed.Add(1)
			}
		})
	}
}
