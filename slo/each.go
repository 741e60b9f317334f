package slo

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ByService is the one dimension of Each.
const ByService = "service"

// MaxEach is the largest Limit of Each.
const MaxEach = 1000

// Each makes an objective a definition: there is one objective for each value of a dimension. The zero value makes it none.
type Each struct {
	// By is the dimension: empty or ByService, the service that the span's resource names.
	By string
	// Limit is the most objectives of the definition.
	Limit int
}

// eachSeparator separates the name of a definition from the service. No name that is configured has it.
const eachSeparator = ":"

// For returns the objective of a service of a definition: it is named after both, as in availability:checkout. In the service's name, what
// cannot be in a path of a URL is escaped.
func (o Objective) For(service string) Objective {
	o.Name += eachSeparator + url.PathEscape(service)
	o.Service, o.Indicator.Spans.Service, o.Each = service, service, Each{}
	return o
}

// CountedAs returns the name under which the spans of an objective are counted, and the only service of which they are: those of the
// definition that made the objective, if one did, or else its own name and no service.
func CountedAs(configured []Objective, name string) (counted, service string) {
	for _, o := range configured {
		if service, ok := o.ServiceOf(name); ok {
			return o.Name, service
		}
	}
	return name, ""
}

// ServiceOf returns the service of an objective of the definition by its name, and false if the definition has no objective of that name.
func (o Objective) ServiceOf(name string) (string, bool) {
	escaped, ok := strings.CutPrefix(name, o.Name+eachSeparator)
	if !ok || o.Each.By == "" {
		return "", false
	}
	service, err := url.PathUnescape(escaped)
	return service, err == nil && service != ""
}

func (o Objective) validateEach() (errs []error) {
	switch {
	case o.Each.By == "":
		return nil
	case o.Each.By != ByService:
		errs = append(errs, fmt.Errorf("for_each: %q is not service; write service", o.Each.By))
	case o.Indicator.Type == PromQL:
		errs = append(errs, errors.New("for_each: needs spans, but promql counts series; write availability or latency, or an objective per service"))
	case o.Indicator.Type != Availability && o.Indicator.Type != Latency || o.Indicator.Slices != nil:
		errs = append(errs, errors.New("for_each: counts events of spans; write availability or latency without slices, or an objective per service"))
	case o.Indicator.Spans.Service != "":
		errs = append(errs, fmt.Errorf("for_each: there is one service only, as %s::service selects %s; leave out one of them", o.Indicator.Type, o.Indicator.Spans.Service))
	case o.Service != "":
		errs = append(errs, errors.New("service: each objective has that of its spans; leave it out, or for_each"))
	}
	if o.Each.Limit < 1 || o.Each.Limit > MaxEach {
		errs = append(errs, fmt.Errorf("limit: %d is not from 1 to %d; write the most objectives of this definition", o.Each.Limit, MaxEach))
	}
	return errs
}
