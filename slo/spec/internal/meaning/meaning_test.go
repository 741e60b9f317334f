package meaning

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const inc = "increase(x_total[{{.window}}])"

// TestCounting lists queries that count, and how they are read. That the counts are right is a test of package samples.
func TestCounting(t *testing.T) {
	for query, want := range map[string]string{
		// as slowburn's documentation has them
		`sum(increase(http_requests_total{code=~"5.."}[{{.window}}]))`: "",
		`sum(increase(http_requests_total[{{ .window }}]))`:            "",
		// Sloth
		`sum(rate(http_request_duration_seconds_count{job="myservice",code=~"(5..|429)"}[{{.window}}]))`:   `sum(increase(http_request_duration_seconds_count{job="myservice",code=~"(5..|429)"}[{{.window}}]))`,
		`(sum(rate(a_count[{{.window}}])) - sum(rate(a_bucket{le="0.5"}[{{.window}}]))) OR on() vector(0)`: `(sum(increase(a_count[{{.window}}])) - sum(increase(a_bucket{le="0.5"}[{{.window}}]))) OR on() vector(0)`,
		`sum by (job) (irate(x_total[{{.window}}])) or vector(0)`:                                          `sum by (job) (increase(x_total[{{.window}}])) or vector(0)`,
		// Pyrra
		`sum(count_over_time(up{job="p"}[{{.window}}])) - sum(sum_over_time(up{job="p"}[{{.window}}]))`:                            "",
		`sum(histogram_count(increase(d_seconds[{{.window}}])))`:                                                                   "",
		`(1 - histogram_fraction(0, 0.3, sum(rate(d_seconds[{{.window}}])))) * histogram_count(sum(rate(d_seconds[{{.window}}])))`: `(1 - histogram_fraction(0, 0.3, sum(increase(d_seconds[{{.window}}])))) * histogram_count(sum(increase(d_seconds[{{.window}}])))`,
		// mixins and OpenSLO
		`sum without(instance) (rate({__name__="x_total"}[{{.window}}]))`:                        `sum without(instance) (increase({__name__="x_total"}[{{.window}}]))`,
		`sum(rate(a_bucket{le=~"0.5|0.50"}[{{.window}}] offset 1m))`:                             `sum(increase(a_bucket{le=~"0.5|0.50"}[{{.window}}] offset 1m))`,
		`label_replace(sum by (code) (` + inc + `), "c", "$1", "code", "(.).*")`:                 "",
		`sum(` + inc + ` and on(job) up == 1)`:                                                   "",
		`sum(` + inc + ` unless on(job) rate(y_total[{{.window}}]) > 3)`:                         "", // the right side only selects
		`2 * sum(` + inc + `) + sum(` + inc + `) / 4 + 0`:                                        "",
		`sum(rate(x_total[{{.window}}])) * 10`:                                                   `sum(increase(x_total[{{.window}}])) * 10`,
		`-sum(` + inc + `) + sum(increase(y_total[{{.window}}]))`:                                "",
		`clamp_min(sum(` + inc + `) - sum(increase(y_total[{{.window}}])), 0)`:                   "",
		`scalar(sum(` + inc + `))`:                                                               "",
		`sum(x_total - x_total offset {{.window}})`:                                              "",
		`sum by (a, b) (x_total) - sum by (b, a) (x_total offset {{.window}})`:                   "",
		`sum_over_time(sum(increase(x_total[1m]))[{{.window}}:1m])`:                              "",
		`count_over_time((sum(rate(x_total[5m])) > 3)[{{.window}}:1m])`:                          "",
		`sum_over_time((probe_duration < bool 0.3)[{{.window}}:1m])`:                             "",
		`sum(sum_over_time(job:requests:increase1m[{{.window}}]))`:                               "",
		`sum(job:requests:increase{{.window}})`:                                                  "",
		`sum(increase(requests{window="366797s"}[{{.window}}]))`:                                 "",
		"sum(\n  rate(x_total[{{.window}}]) # per second\n)":                                     "sum(\n  increase(x_total[{{.window}}]) # per second\n)",
		`sum(rate(rate_total{rate="rate(x[5m])"}[{{.window}}]) + on() rate(irate[{{.window}}]))`: `sum(increase(rate_total{rate="rate(x[5m])"}[{{.window}}]) + on() increase(irate[{{.window}}]))`,
	} {
		t.Run(query, func(t *testing.T) {
			if want == "" {
				want = query
			}
			got, err := Counting(query)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			again, err := Counting(got)
			require.NoError(t, err)
			assert.Equal(t, got, again)
		})
	}
}

// TestRefused lists queries that give no number of events, each with a part of what the error says.
func TestRefused(t *testing.T) {
	for query, want := range map[string]string{
		` `:                          "is missing",
		`sum(increase(x_total[5m]))`: "has no {{.window}}",
		`sum(` + inc:                 "is no PromQL",
		`x_total[{{.window}}]`:       "gives a range vector",
		`"{{.window}}"`:              "gives a string",
		// moments
		`x_total + 0 * sum(` + inc + `)`:                                 "adds what series say at a moment; write increase(x_total[{{.window}}])",
		`sum(queue_length offset {{.window}})`:                           "queue_length offset {{.window}}) is what series say at a moment",
		`sum(x_total offset {{.window}})`:                                "is what series say at a moment",
		`sum(x_total) - sum(y_total offset {{.window}})`:                 "is no difference of one counter",
		`sum(x_total offset {{.window}}) - sum(x_total)`:                 "is no difference of one counter",
		`sum(queue) - sum(queue offset {{.window}})`:                     "is no difference of one counter",
		`sum by (a) (x_total) - sum by (b) (x_total offset {{.window}})`: "is no difference of one counter",
		`sum(x_total - x_total offset 5m) + 0 * ` + inc:                  "is no difference of one counter",
		`avg_over_time(queue[{{.window}}])`:                              "is what series say at a moment, or over some",
		`last_over_time(x_total[{{.window}}])`:                           "is what series say at a moment, or over some",
		`sum_over_time(x_total[{{.window}}])`:                            "adds up what a counter shows at each sample; write sum(increase(x_total[{{.window}}]))",
		// aggregations
		`avg(` + inc + `)`:           "is an average over series, not a number of events; write sum(increase(metric[{{.window}}]))",
		`max by (job) (` + inc + `)`: "is the largest of several series",
		`count(` + inc + `)`:         "is the number of series",
		`topk(3, ` + inc + `)`:       "leaves series out",
		`quantile(0.9, ` + inc + `)`: "is a quantile over series",
		// ratios and other units
		`sum(` + inc + `) / sum(increase(y_total[{{.window}}]))`:                         "is a ratio, not a number of events; write what is above the line in bad",
		`1 - sum(rate(a_total[{{.window}}])) / sum(rate(b_total[{{.window}}]))`:          "is a ratio",
		`histogram_quantile(0.9, sum by (le) (rate(a_bucket[{{.window}}])))`:             "is a duration or size",
		`histogram_sum(rate(d_seconds[{{.window}}]))`:                                    "count with histogram_count()",
		`histogram_fraction(0, 1, rate(d_seconds[{{.window}}]))`:                         "is a share of events",
		`sum(histogram_fraction(0, 1, rate(d_seconds[{{.window}}]))) * sum(` + inc + `)`: "adds up shares",
		`histogram_fraction(0, 1, d_seconds) * ` + inc:                                   "is a share of all that a histogram counted",
		`sum(increase(d_seconds[{{.window}}]))`:                                          "counts seconds, not events",
		`sum(rate(d_seconds_sum[{{.window}}]))`:                                          "counts seconds, not events; write sum(increase(d_seconds_count[{{.window}}]))",
		`sum(increase(node_network_receive_bytes_total[{{.window}}]))`:                   "counts bytes, not events",
		`sum(` + inc + `) + sum(increase(cpu_seconds_total[{{.window}}]))`:               "counts seconds, not events",
		`sum(increase(job:x:rate5m[{{.window}}]))`:                                       "is the increase of recorded rates or ratios",
		`sum(increase(job:x:increase5m[{{.window}}]))`:                                   "is the increase of recorded increases",
		`sum(increase(job:x_total:sum[{{.window}}]))`:                                    "is the increase of a recorded sum",
		`sum(sum_over_time(slo:sli_error:ratio_rate5m[{{.window}}]))`:                    "adds up recorded rates or ratios",
		`sum(increase(a_bucket[{{.window}}]))`:                                           `selects several buckets`,
		`sum(increase(a_bucket{le=~"0.1|0.5"}[{{.window}}]))`:                            `selects several buckets`,
		`sum(increase(a_bucket{le!="0.1"}[{{.window}}]))`:                                `write a_count for all events`,
		// functions
		`sum(delta(x_total[{{.window}}]))`:        "is the difference of a gauge",
		`sum(deriv(x_total[{{.window}}]))`:        "is the slope of a gauge",
		`sum(idelta(x_total[{{.window}}]))`:       "is the difference of the last two samples",
		`predict_linear(x_total[{{.window}}], 9)`: "is a forecast",
		`sum(round(` + inc + `))`:                 "rounds each window",
		`sum(changes(x_total[{{.window}}]))`:      "counts changes",
		`absent_over_time(x_total[{{.window}}])`:  "says that there is no series",
		`sqrt(` + inc + `)`:                       "sqrt() gives no number of events; write sum(increase(metric[{{.window}}]))",
		`clamp_max(` + inc + `, 1)`:               "cuts events off",
		`clamp_min(` + inc + `, 1)`:               "write 0 as the least value",
		// operators
		`sum(` + inc + `) > 0`:                                "compares, which gives no number of events; leave the comparison out",
		`sum(` + inc + `) > bool 0`:                           "compares",
		`sum(` + inc + `) ^ 2`:                                "is no sum or difference",
		`sum(` + inc + `) % 2`:                                "is no sum or difference",
		`sum(` + inc + `) * sum(` + inc + `)`:                 "multiplies with what is no constant",
		`sum(` + inc + ` * on(pod) group_left kube_pod_info)`: "multiplies with what is no constant",
		`sum(` + inc + `) + 1`:                                "adds a constant to the events of each window",
		`sum(` + inc + `) or vector(1)`:                       "counts events where there are none",
		`vector(0) or sum(` + inc + `)`:                       "never gives its right side",
		`sum(` + inc + `) + sum(rate(y_total[{{.window}}]))`:  "adds different things",
		`sum(` + inc + `) or sum(rate(y_total[{{.window}}]))`: "mixes different things",
		`vector({{.window}})`:                                 "is a constant",
		`sum(rate(x_total[{{.window}}])) * 300`:               "multiplies a rate per second by 300, which may be seconds; write increase() alone",
		`5 * 60 * sum(rate(x_total[{{.window}}]))`:            "multiplies a rate per second by 300",
		`sum(rate(x_total[{{.window}}])) * 6 * 10`:            "multiplies a rate per second by 60",
		`sum(rate(x_total[{{.window}}])) / (1/3600)`:          "multiplies a rate per second by 3600",
		`sum(rate(x_total[{{.window}}])) * {{.window}}`:       "multiplies or divides events by a time",
		`sum(` + inc + `) / 300`:                              "divides an increase by 300, which may be seconds and gives a rate",
		`sum(` + inc + `) / 0`:                                "is not finite",
		// ranges
		`sum(increase(x_total[5m])) + 0 * sum(` + inc + `)`:                  "increase(x_total[5m]) counts the events of 5m instead of {{.window}}; write [{{.window}}]",
		`sum_over_time(sum(increase(x_total[5m]))[{{.window}}:1m])`:          "counts 5m, but the subquery around it has a step of 1m",
		`sum_over_time(sum(increase(x_total[{{.window}}]))[{{.window}}:1m])`: "counts {{.window}}, but the subquery around it has a step of 1m",
		`sum_over_time(sum(rate(x_total[1m]))[{{.window}}:1m])`:              "adds up what is no number of events; write sum_over_time(sum(increase(metric[1m]))[{{.window}}:1m])",
		`count_over_time((up == 0)[{{.window}}:])`:                           "has no step",
		`increase(sum(x_total)[{{.window}}:1m])`:                             "takes the increase of a result",
		`increase(x_total[{{.window}}:30s])`:                                 "reads a counter at steps, and misses events between windows; write sum(increase(x_total[{{.window}}]))",
		`sum(increase(x_total[{{.window}}] @ end()))`:                        "counts at a fixed time",
		`sum(increase(x_total[{{.window}}] offset -5m))`:                     "counts what has not happened yet",
		`sum(` + inc + `) - sum(increase(x_total[{{.window}}] offset 1h))`:   "counts the events of another time",
	} {
		t.Run(query, func(t *testing.T) {
			got, err := Counting(query)
			require.ErrorContains(t, err, want)
			assert.Empty(t, got)
			assert.NotContains(t, err.Error(), "366797", "the window is named as people wrote it")
			assert.NotContains(t, err.Error(), "4d5h53m")
			assert.NotContains(t, err.Error(), "%!")
		})
	}
}

// TestEachFunctionHasAReason checks that each function of PromQL is either known to give events or refused with a reason.
func TestEachFunctionHasAReason(t *testing.T) {
	for name := range parser.Functions {
		assert.NotEmpty(t, because(name))
	}
	assert.Len(t, aggregations, 13, "those other than sum")
}

// FuzzCounting checks that what is accepted is PromQL, counts the same when it is read again, and has no rate() of a value left.
func FuzzCounting(f *testing.F) {
	for _, seed := range []string{inc, `sum(rate(x[{{.window}}])) or vector(0)`, `sum(x_total - x_total offset {{.window}})`,
		`sum_over_time(sum(increase(x[1m]))[{{.window}}:1m])`, `1 / (rate(x[{{.window}}]) * -2)`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, template string) {
		got, err := Counting(template)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		again, err := Counting(got)
		require.NoError(t, err)
		require.Equal(t, got, again)
		_, err = parser.NewParser(parser.Options{}).ParseExpr(Expand(got, "5m"))
		require.NoError(t, err)
		require.Contains(t, strings.ReplaceAll(got, " ", ""), "{{.window}}")
		require.Positive(t, placeholderFor(template)-time.Second)
	})
}
