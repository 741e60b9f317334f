package jaeger

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// maxLimit is the highest limit that a client may send; answers have at most tracestore.MaxLimit traces.
const maxLimit = 100_000

// parseQuery reads the parameters of Jaeger's trace search. The only tag that it supports is error, which has an index.
func parseQuery(values url.Values) (tracestore.Query, error) {
	p := rest.Params{Values: values}
	q := tracestore.Query{
		Service: values.Get("service"), Operation: values.Get("operation"),
		MinDuration: p.Duration("minDuration"), MaxDuration: p.Duration("maxDuration"),
		Start: micros(&p, "start"), End: micros(&p, "end"),
		Limit: min(p.Integer("limit", tracestore.DefaultLimit, 1, maxLimit), tracestore.MaxLimit),
	}
	if p.Err != nil {
		return q, p.Err
	}
	if strings.EqualFold(q.Operation, "all") {
		q.Operation = ""
	}
	tags, err := tagQuery(values)
	if err != nil {
		return q, err
	}
	for key, value := range tags {
		if key != "error" || value != "true" {
			return q, fmt.Errorf("tag %s=%s cannot be searched: only error=true can", key, value)
		}
		q.Error = true
	}
	return q, nil
}

// tagQuery reads tags={"key":"value"} and tag=key:value.
func tagQuery(values url.Values) (map[string]string, error) {
	tags := map[string]string{}
	if text := values.Get("tags"); text != "" {
		if err := json.Unmarshal([]byte(text), &tags); err != nil {
			return nil, errors.New(`tags must be a JSON object of strings, such as {"error":"true"}`)
		}
	}
	for _, tag := range values["tag"] {
		key, value, ok := strings.Cut(tag, ":")
		if !ok {
			return nil, fmt.Errorf("tag=%s: it must be key:value, such as error:true", tag)
		}
		tags[key] = value
	}
	return tags, nil
}

// micros reads a time in Unix microseconds.
func micros(p *rest.Params, name string) time.Time {
	v := p.Values.Get(name)
	if v == "" {
		return time.Time{}
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		p.Fail(name, v, "a time in Unix microseconds")
	}
	return time.UnixMicro(n)
}
