package api

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/slo/engine"
)

// filled returns a value whose leaves all differ and are not zero. Booleans are true.
func filled[T any]() (v T) {
	n := 0
	fill(reflect.ValueOf(&v).Elem(), &n)
	return v
}

func fill(v reflect.Value, n *int) {
	*n++
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Unix(int64(*n), 0).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key "+strconv.Itoa(*n)), value)
	case reflect.String:
		v.SetString(strconv.Itoa(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n))
	default:
		panic("no value of " + v.Type().String())
	}
}

// leaves lists the leaves of a value, sorted, without empty strings.
func leaves(t *testing.T, v any) (list []string) {
	body, err := json.Marshal(v)
	require.NoError(t, err)
	var parsed any
	require.NoError(t, json.Unmarshal(body, &parsed))
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, value := range v {
				walk(value)
			}
		case []any:
			for _, value := range v {
				walk(value)
			}
		case string:
			if v != "" { // empty strings are left out
				list = append(list, v)
			}
		case float64:
			list = append(list, strconv.FormatFloat(v, 'g', -1, 64))
		case bool:
			list = append(list, strconv.FormatBool(v))
		}
	}
	walk(parsed)
	slices.Sort(list)
	return list
}

// TestAnswersAreComplete: an answer contains each value of the component once. A component's field without a counterpart in the
// answer fails here.
func TestAnswersAreComplete(t *testing.T) {
	carries(t, func(s engine.Statuses) any { // without the numbers of a page
		o := ObjectivesOf(s)
		return []any{o.EvaluatedUntil, o.NextEvaluation, o.Objectives}
	})
	carries(t, HistoryOf)
	carries(t, AlertsOf)
	carries(t, DeliveriesOf)
	carries(t, TracePageOf)
	carries(t, SamplingStatusOf)
	carries(t, SamplingCostOf)
	carries(t, PoliciesOf)
	carries(t, ShadowOf)
	carries(t, DecisionOf)
	carries(t, DestinationsOf)
	carries(t, DrainOf)
}

func carries[From, To any](t *testing.T, describe func(From) To) {
	said := filled[From]()
	require.Equal(t, leaves(t, said), leaves(t, describe(said)), "%T", said)
}

// TestNoListIsNull: a list that a component left nil is empty in the answer.
func TestNoListIsNull(t *testing.T) {
	for _, answer := range []any{
		ObjectivesOf(engine.Statuses{}), ObjectiveOf(engine.Status{}), HistoryOf(engine.History{Points: make([]engine.Point, 1)}),
		BreakdownOf(engine.Breakdown{}),
		AlertsOf(engine.Alerts{Alerts: make([]engine.Alert, 1)}), DeliveriesOf(engine.Deliveries{}),
		TracePageOf(tracestore.Result{Traces: make([]tracestore.Summary, 1)}),
		SamplingStatusOf(tailsampling.Status{}), SamplingCostOf(tailsampling.Cost{}), PoliciesOf(tailsampling.Policies{}),
		ShadowOf(tailsampling.ShadowStatus{}), DecisionOf(tailsampling.Explanation{}),
		DestinationsOf(tailsampling.Destinations{Destinations: make([]tailsampling.Destination, 1)}), DrainOf(tailsampling.DrainState{}),
	} {
		requireLists(t, reflect.ValueOf(answer), reflect.TypeOf(answer).Name())
	}
}

// requireLists fails for a nil list or map that JSON would write as null.
func requireLists(t *testing.T, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if name := field.Tag.Get("json"); len(name) < 10 || name[len(name)-10:] != ",omitempty" {
				requireLists(t, v.Field(i), path+"."+field.Name)
			}
		}
	case reflect.Slice:
		require.False(t, v.IsNil(), path)
		for i := range v.Len() {
			requireLists(t, v.Index(i), path+"[]")
		}
	case reflect.Map:
		require.False(t, v.IsNil(), path)
	default:
	}
}
