package reference

const (
	keyDoc     = "The attribute of a span or a resource."
	invertDoc  = "Keeps the trace if nothing in it matches."
	burstZero  = "twice the rate"
	keysDoc    = "The most distinct keys. Traces with further keys share the key `__other__`."
	fieldsText = "`name` and `status` of the root span, and attributes of it or of its resource"
)

// policyRules are those of the sections of policies.
var policyRules = ruleSet{
	"latency":                     {Doc: "One of the two keys is needed."},
	"latency::threshold_ms":       {Min: "0", Default: "0", Doc: "The trace took longer than this number of milliseconds."},
	"latency::upper_threshold_ms": {Min: "1", Zero: "no upper bound", Doc: "The trace took at most this number of milliseconds, which is more than `threshold_ms`."},

	"span_count::min_spans": {Min: "0", Doc: "The lowest number of spans of the trace."},
	"span_count::max_spans": {Min: "0", Zero: "no upper bound", Doc: "The highest number of spans of the trace, at least `min_spans`."},

	"probabilistic::sampling_percentage": {Min: "0", Doc: "The share of traces in percent. 100 or more keeps all."},
	"probabilistic::hash_salt":           {Text: "any", Doc: "The salt of the hash with `compat: contrib`. Otherwise it has no meaning, and a warning says so."},

	"boolean_attribute::key":          {Required: true, Text: "not empty", Doc: keyDoc},
	"boolean_attribute::value":        {Doc: "The value of the attribute."},
	"boolean_attribute::invert_match": {Doc: invertDoc},

	"numeric_attribute::key":          {Required: true, Text: "not empty", Doc: keyDoc},
	"numeric_attribute::min_value":    {Text: "any; this or `max_value` is needed", Doc: "The lowest value."},
	"numeric_attribute::max_value":    {Text: "any; this or `min_value` is needed", Doc: "The highest value."},
	"numeric_attribute::invert_match": {Doc: invertDoc},

	"string_attribute::key":                    {Required: true, Text: "not empty", Doc: keyDoc},
	"string_attribute::values":                 {Required: true, Text: "at least one", Doc: "The values that match. They are compared literally, or are regular expressions that match anywhere in the value unless they have ^ and $."},
	"string_attribute::enabled_regex_matching": {Doc: "Whether the values are regular expressions."},
	"string_attribute::cache_max_size":         {Min: "0", Zero: "128", Doc: "The number of results of regular expressions that are cached, at most about a million."},
	"string_attribute::invert_match":           {Doc: invertDoc},

	"status_code::status_codes": {Required: true, Text: "at least one of OK, ERROR, UNSET", Doc: "The statuses of a span that match."},

	"trace_state::key":    {Required: true, Text: "not empty", Doc: "The key in a span's W3C tracestate."},
	"trace_state::values": {Required: true, Text: "at least one", Doc: "The values that match."},

	"ottl_condition::error_mode": {OneOf: []string{"ignore", "silent", "propagate"}, Default: "ignore", Doc: "The effect of a condition that cannot be evaluated for a span. With ignore and silent the next condition is evaluated, and silent does not log. With propagate no further condition is evaluated for that span."},
	"ottl_condition::span":       {Text: "conditions in OTTL; this or `spanevent` is needed", Doc: "Conditions for a span; one match is enough."},
	"ottl_condition::spanevent":  {Text: "conditions in OTTL; this or `span` is needed", Doc: "Conditions for an event of a span; one match is enough."},

	"critical_path_ms::threshold_ms": {Required: true, Min: "0", Doc: "The critical path is longer than this number of milliseconds."},
	"critical_path_ms::service":      {Text: "any", Doc: "Only the time of spans of this service counts."},
	"critical_path_ms::name":         {Text: "any", Doc: "Only the time of spans with this name counts."},

	"failure_mode::modes": {Required: true, Text: "at least one of never_sent, unobserved_peer, intermediary, server_failed, response_lost, server_still_working, caller_error, retries, duplicate_work", Doc: "The modes of a failed call that match."},

	"orphans::min": {Min: "0", Zero: "1", Doc: "The lowest number of spans without their parent, roots beyond the first included."},
	"retries::min": {Min: "0", Zero: "1", Doc: "The lowest number of retries of failed calls."},

	"bytes_limiting::bytes_per_second": {Required: true, Min: "1", Doc: "The bytes of spans that are kept per second, as they arrived over the wire."},
	"bytes_limiting::burst_capacity":   {Min: "0", Zero: burstZero, Doc: "The most unused bytes that are saved for a burst."},
	"rate_limiting::spans_per_second":  {Required: true, Min: "1", Doc: "The spans that are kept per second."},
	"rate_limiting::burst_capacity":    {Min: "0", Zero: burstZero, Doc: "The most unused spans that are saved for a burst."},

	"dynamic":                      {Doc: "One of `spans_per_second` and `sampling_percentage` is needed."},
	"dynamic::spans_per_second":    {Text: "above 0, not together with `sampling_percentage`", Doc: "The spans that the policy keeps per second, over all keys and in the long run."},
	"dynamic::sampling_percentage": {Text: "above 0, at most 100", Doc: "The share of all spans that the policy keeps, in percent."},
	"dynamic::adjustment_interval": {Min: "1s", Max: "1h", Zero: "15s", Doc: "The interval at which the keys' shares are computed."},
	"dynamic::weight":              {Text: "0.001 to less than 1", Zero: "0.5", Doc: "The weight of the last interval in the average of a key's rate."},
	"dynamic::key":                 {Text: fieldsText, Default: "[service.name, name, status]", Doc: "The fields that distinguish traces."},
	"dynamic::max_keys":            {Min: "1", Max: "1000000", Zero: "10000", Doc: keysDoc},

	"rare::traces":   {Min: "0", Zero: "1", Doc: "The traces of each key that are kept in a period."},
	"rare::period":   {Max: "720h", Zero: "15m", Doc: "The period of a key. It begins with the first trace of the key, and again with the first trace after its end."},
	"rare::key":      {Text: fieldsText, Default: "[service.name, name]", Doc: "The fields that distinguish traces."},
	"rare::max_keys": {Min: "1", Max: "1000000", Zero: "10000", Doc: keysDoc},

	"diversity::period":   {Max: "720h", Zero: "15m", Doc: "The period of an operation. It begins when a trace with the operation is kept."},
	"diversity::max_keys": {Min: "1", Max: "1000000", Zero: "10000", Doc: "The most distinct operations. Further ones count as one."},

	"and::and_sub_policy":   {Required: true, Text: "at least one, of any type but drop and composite", Doc: "The sub-policies, all of which must keep the trace."},
	"not::not_sub_policy":   {Required: true, Text: "of any type but drop and composite", Doc: "The sub-policy, which must not keep the trace."},
	"drop::drop_sub_policy": {Required: true, Text: "at least one, of any type but drop and composite", Doc: "The sub-policies, all of which must match a trace to drop it."},

	"composite::max_total_spans_per_second": {Required: true, Min: "1", Doc: "The spans that are kept per second in total."},
	"composite::policy_order":               {Text: "names of sub-policies, each once", Doc: "The order in which sub-policies are evaluated. Sub-policies that are not in it come last, in their order in the file."},
	"composite::composite_sub_policy":       {Required: true, Text: "at least one, each with a name, of any type but drop and composite", Doc: "The sub-policies that share the rate."},
	"composite::rate_allocation":            {Text: "each sub-policy at most once", Doc: "The shares of sub-policies. Sub-policies without one have equal shares of the rest."},
	"composite::rate_allocation[]::policy":  {Required: true, Text: "the name of a sub-policy", Doc: "The sub-policy of the share."},
	"composite::rate_allocation[]::percent": {Min: "0", Max: "100", Zero: "as without a share", Doc: "The share of `max_total_spans_per_second` in percent."},
}
