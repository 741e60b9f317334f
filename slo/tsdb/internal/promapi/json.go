package promapi

import (
	"encoding/json"
	"net/http"

	jsoniter "github.com/json-iterator/go"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/util/jsonutil"
)

// maxWarnings is how many warnings, and how many infos, an answer shows.
const maxWarnings = 10

// respond writes an answer in the envelope of the API. The expression is what warnings point into.
func respond(w http.ResponseWriter, found answer, expression string) {
	s := jsoniter.NewStream(jsoniter.ConfigCompatibleWithStandardLibrary, nil, 4096)
	s.WriteRaw(`{"status":"success","data":`)
	encode(s, found.data)
	warnings, infos := found.warnings.AsStrings(expression, maxWarnings, maxWarnings)
	if len(warnings) > 0 {
		s.WriteRaw(`,"warnings":`)
		encode(s, warnings)
	}
	if len(infos) > 0 {
		s.WriteRaw(`,"infos":`)
		encode(s, infos)
	}
	s.WriteObjectEnd()
	if s.Error != nil {
		respondError(w, s.Error)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(s.Buffer()) // the client has gone, and nobody is left to tell
}

// respondError writes an error in the envelope of the API.
func respondError(w http.ResponseWriter, err error) {
	k := kindOf(err)
	body, err := json.Marshal(struct {
		Status    string `json:"status"`
		ErrorType kind   `json:"errorType"`
		Error     string `json:"error"`
	}{"error", k, err.Error()})
	if err != nil { // no type here that JSON has no form for
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(k.code())
	_, _ = w.Write(body) // the client has gone, and nobody is left to tell
}

// encode writes data. Series and samples have forms of their own, made without copies of them; all else is as package json
// has it.
func encode(s *jsoniter.Stream, data any) {
	switch v := data.(type) {
	case *queryData:
		s.WriteRaw(`{"resultType":`)
		s.WriteString(string(v.value.Type()))
		s.WriteRaw(`,"result":`)
		encode(s, v.value)
		if v.stats != nil {
			s.WriteRaw(`,"stats":`)
			encode(s, v.stats)
		}
		s.WriteObjectEnd()
	case promql.Vector:
		array(s, v, sample)
	case promql.Matrix:
		array(s, v, series)
	case []labels.Labels:
		array(s, v, labelSet)
	case []exemplar.QueryResult:
		array(s, v, exemplars)
	default:
		body, err := json.Marshal(data)
		if err != nil {
			s.Error = err
			return
		}
		s.WriteRaw(string(body))
	}
}

func array[T any](s *jsoniter.Stream, list []T, one func(*jsoniter.Stream, T)) {
	s.WriteArrayStart()
	for i, v := range list {
		if i > 0 {
			s.WriteMore()
		}
		one(s, v)
	}
	s.WriteArrayEnd()
}

func labelSet(s *jsoniter.Stream, set labels.Labels) {
	s.WriteObjectStart()
	more := false
	set.Range(func(l labels.Label) {
		if more {
			s.WriteMore()
		}
		more = true
		s.WriteString(l.Name)
		s.WriteRaw(":")
		s.WriteString(l.Value)
	})
	s.WriteObjectEnd()
}

func sample(s *jsoniter.Stream, v promql.Sample) {
	s.WriteRaw(`{"metric":`)
	labelSet(s, v.Metric)
	if v.H != nil {
		s.WriteRaw(`,"histogram":`)
		histogramPoint(s, promql.HPoint{T: v.T, H: v.H})
	} else {
		s.WriteRaw(`,"value":`)
		floatPoint(s, promql.FPoint{T: v.T, F: v.F})
	}
	s.WriteObjectEnd()
}

func series(s *jsoniter.Stream, v promql.Series) {
	s.WriteRaw(`{"metric":`)
	labelSet(s, v.Metric)
	if len(v.Floats) > 0 {
		s.WriteRaw(`,"values":`)
		array(s, v.Floats, floatPoint)
	}
	if len(v.Histograms) > 0 {
		s.WriteRaw(`,"histograms":`)
		array(s, v.Histograms, histogramPoint)
	}
	s.WriteObjectEnd()
}

func floatPoint(s *jsoniter.Stream, p promql.FPoint) {
	point(s, p.T, p.F, jsonutil.MarshalFloat)
}

func histogramPoint(s *jsoniter.Stream, p promql.HPoint) {
	point[*histogram.FloatHistogram](s, p.T, p.H, jsonutil.MarshalHistogram)
}

func point[T any](s *jsoniter.Stream, at int64, value T, write func(T, *jsoniter.Stream)) {
	s.WriteArrayStart()
	jsonutil.MarshalTimestamp(at, s)
	s.WriteMore()
	write(value, s)
	s.WriteArrayEnd()
}

func exemplars(s *jsoniter.Stream, r exemplar.QueryResult) {
	s.WriteRaw(`{"seriesLabels":`)
	labelSet(s, r.SeriesLabels)
	s.WriteRaw(`,"exemplars":`)
	array(s, r.Exemplars, func(s *jsoniter.Stream, e exemplar.Exemplar) {
		s.WriteRaw(`{"labels":`)
		labelSet(s, e.Labels)
		s.WriteRaw(`,"value":`)
		jsonutil.MarshalFloat(e.Value, s)
		s.WriteRaw(`,"timestamp":`)
		jsonutil.MarshalTimestamp(e.Ts, s)
		s.WriteObjectEnd()
	})
	s.WriteObjectEnd()
}
