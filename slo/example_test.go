package slo_test

import (
	"fmt"
	"time"

	"github.com/slowburn/slowburn/slo"
)

// An objective of 99.9 % over 30 days: its burn rate, its remaining error budget, and whether a page is due.
func ExampleObjective() {
	o := slo.Objective{
		Name: "checkout-availability", Service: "checkout", Target: 0.999, Window: 30 * 24 * time.Hour,
		Indicator: slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Service: "checkout", Kind: "server"}},
		Tiers:     slo.DefaultTiers(),
	}
	if err := o.Validate(); err != nil {
		fmt.Println(err)
		return
	}

	hour, minutes := slo.Events{Total: 10_000, Bad: 200}, slo.Events{Total: 800, Bad: 20}
	month := slo.Events{Total: 7_000_000, Bad: 2_100}
	rate, _ := o.BurnRate(hour)
	left := o.Budget(month)
	page := o.Tiers[0]
	lasts, _ := o.TimeToExhaustion(left.Remaining, rate)
	fmt.Printf("burn rate %.0f; a page is due from %.1f on: %t\n", rate, o.Factor(page), o.Active(page, hour, minutes, month))
	fmt.Printf("%.0f %% of the budget is left: %.0f more bad events, or %s of full outage\n", 100*left.Remaining, left.RemainingEvents, left.RemainingTime.Round(time.Second))
	fmt.Println("at this rate it lasts for", slo.FormatDuration(lasts.Round(time.Minute)))
	// Output:
	// burn rate 20; a page is due from 14.4 on: true
	// 70 % of the budget is left: 4900 more bad events, or 30m14s of full outage
	// at this rate it lasts for 1d1h12m
}
