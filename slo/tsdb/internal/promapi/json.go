package promapi

import (
	"encoding/json"
	"errors"
	"net/http"

	jsoniter "github.com/json-iterator/go"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/util/jsonutil"

	"github.com/slowburn/slowburn/internal/gate"
)

// maxWarnings is how many warnings, and how many infos, an answer shows.
const maxWarnings = 10

// errResponse means that an answer is longer than allowed.
var errResponse = errors.New("the answer is longer than tsdb::query::max_response_size: ask for fewer series, or with a limit")

// reply is an encoded answer.
type reply struct {
	code int
	body []byte // JSON, nothing where nil
}

func (r reply) send(w http.ResponseWriter) {
	if r.body != nil {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(r.code)
	_, _ = w.Write(r.body) // the client has gone, and nobody is left to tell
}

// respond encodes an answer in the envelope of the API. expression is the text that warnings refer to.
func (d door) respond(w http.ResponseWriter, found answer, expression string) reply {
	s := jsoniter.NewStream(jsoniter.ConfigCompatibleWithStandardLibrary, nil, 4096)
	s.WriteRaw(`{"status":"success","data":`)
	e := encoder{s, d.limits.Response}
	e.encode(found.data)
	warnings, infos := found.warnings.AsStrings(expression, maxWarnings, maxWarnings)
	if len(warnings) > 0 {
		s.WriteRaw(`,"warnings":`)
		e.encode(warnings)
	}
	if len(infos) > 0 {
		s.WriteRaw(`,"infos":`)
		e.encode(infos)
	}
	s.WriteObjectEnd()
	if s.Error != nil {
		return d.failed(w, s.Error)
	}
	return reply{http.StatusOK, s.Buffer()}
}

// failed encodes an error in the envelope of the API, and says when to retry if the gateway was busy.
func (d door) failed(w http.ResponseWriter, err error) reply {
	k := kindOf(err)
	var busy *gate.Busy
	if errors.As(err, &busy) {
		busy.Header(w.Header())
	}
	body, err := json.Marshal(struct {
		Status    string `json:"status"`
		ErrorType kind   `json:"errorType"`
		Error     string `json:"error"`
	}{"error", k, err.Error()})
	if err != nil { // no type here that JSON has no form for
		return reply{code: http.StatusInternalServerError}
	}
	return reply{k.code(), body}
}

// encoder writes JSON of at most maxBytes bytes.
type encoder struct {
	*jsoniter.Stream
	maxBytes int
}

// encode writes data. Series and samples have forms of their own, made without copies of them; all else is as package json
// has it.
func (s encoder) encode(data any) {
	switch v := data.(type) {
	case *queryData:
		s.WriteRaw(`{"resultType":`)
		s.WriteString(string(v.value.Type()))
		s.WriteRaw(`,"result":`)
		s.encode(v.value)
		if v.stats != nil {
			s.WriteRaw(`,"stats":`)
			s.encode(v.stats)
		}
		s.WriteObjectEnd()
	case promql.Vector:
		writeArray(s, v, writeSample)
	case promql.Matrix:
		writeArray(s, v, writeSeries)
	case []labels.Labels:
		writeArray(s, v, writeLabels)
	case []exemplar.QueryResult:
		writeArray(s, v, writeExemplars)
	default:
		body, err := json.Marshal(data)
		if err == nil && len(body) > s.maxBytes {
			err = errResponse
		}
		if err != nil {
			s.Error = err
			return
		}
		s.WriteRaw(string(body))
	}
}

func writeArray[T any](s encoder, list []T, write func(encoder, T)) {
	s.WriteArrayStart()
	for i, v := range list {
		if s.Buffered() > s.maxBytes {
			s.Error = errResponse
		}
		if s.Error != nil {
			return
		}
		if i > 0 {
			s.WriteMore()
		}
		write(s, v)
	}
	s.WriteArrayEnd()
}

func writeLabels(s encoder, set labels.Labels) {
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

func writeSample(s encoder, v promql.Sample) {
	s.WriteRaw(`{"metric":`)
	writeLabels(s, v.Metric)
	if v.H != nil {
		s.WriteRaw(`,"histogram":`)
		writeHistogram(s, promql.HPoint{T: v.T, H: v.H})
	} else {
		s.WriteRaw(`,"value":`)
		writeFloat(s, promql.FPoint{T: v.T, F: v.F})
	}
	s.WriteObjectEnd()
}

func writeSeries(s encoder, v promql.Series) {
	s.WriteRaw(`{"metric":`)
	writeLabels(s, v.Metric)
	if len(v.Floats) > 0 {
		s.WriteRaw(`,"values":`)
		writeArray(s, v.Floats, writeFloat)
	}
	if len(v.Histograms) > 0 {
		s.WriteRaw(`,"histograms":`)
		writeArray(s, v.Histograms, writeHistogram)
	}
	s.WriteObjectEnd()
}

func writeFloat(s encoder, p promql.FPoint) {
	writePoint(s, p.T, p.F, jsonutil.MarshalFloat)
}

func writeHistogram(s encoder, p promql.HPoint) {
	writePoint[*histogram.FloatHistogram](s, p.T, p.H, jsonutil.MarshalHistogram)
}

func writePoint[T any](s encoder, at int64, value T, write func(T, *jsoniter.Stream)) {
	s.WriteArrayStart()
	jsonutil.MarshalTimestamp(at, s.Stream)
	s.WriteMore()
	write(value, s.Stream)
	s.WriteArrayEnd()
}

func writeExemplars(s encoder, r exemplar.QueryResult) {
	s.WriteRaw(`{"seriesLabels":`)
	writeLabels(s, r.SeriesLabels)
	s.WriteRaw(`,"exemplars":`)
	writeArray(s, r.Exemplars, func(s encoder, e exemplar.Exemplar) {
		s.WriteRaw(`{"labels":`)
		writeLabels(s, e.Labels)
		s.WriteRaw(`,"value":`)
		jsonutil.MarshalFloat(e.Value, s.Stream)
		s.WriteRaw(`,"timestamp":`)
		jsonutil.MarshalTimestamp(e.Ts, s.Stream)
		s.WriteObjectEnd()
	})
	s.WriteObjectEnd()
}
