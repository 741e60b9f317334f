package match

import (
	"fmt"
	"slices"
	"strings"
)

// notOK is met by a span that nobody declared successful. OpenTelemetry wants an explicit Ok to silence all other signs of an error.
var notOK = Text{NotIn: []string{"ok"}}

var (
	// serverRPC are the codes that the conventions call errors of a server: of gRPC and Dubbo Triple, and of Dubbo 2.
	serverRPC = Equal("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
		"SERVER_ERROR", "SERVER_THREADPOOL_EXHAUSTED_ERROR", "SERVER_TIMEOUT", "SERVICE_ERROR", "-32603")
	// callerRPC are the codes that tell a caller that it asked for something wrong, or that it went away: the other codes of gRPC, and
	// the codes of JSON-RPC for a request that cannot be understood.
	callerRPC = Equal("CANCELLED", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
		"FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNAUTHENTICATED", "BAD_REQUEST", "-32700", "-32600", "-32601", "-32602")
	// failedRPC adds the code of Dubbo 2 for a client that waited in vain.
	failedRPC   = Equal(append([]string{"CLIENT_TIMEOUT"}, serverRPC.In...)...)
	serverHTTP  = Codes{In: []Range{{500, 599}}}
	timeoutHTTP = Codes{In: []Range{{408, 408}, {500, 599}}}
	// timeouts are types of errors that mean that time ran out, in any language.
	timeouts = Text{Like: []string{`(?i).*(time[-_ ]?d?[-_ ]?out|timedout|deadline[-_ ]?exceeded).*`}}
)

// Preset is a name for conditions.
type Preset struct {
	Name       string
	Words      string
	Conditions []Condition
}

// Presets are the presets. The first one is that of an availability objective that says nothing else.
var Presets = []Preset{
	{"server", "it failed: its status is error, its HTTP status is 5xx, or its RPC status is an error of the server", Sorted([]Condition{
		{Status: ptr(Equal("error"))},
		{HTTP: &serverHTTP, Status: &notOK},
		{RPC: &serverRPC, Status: &notOK},
	})},
	{"user", "its caller got no answer: it failed or timed out, and not because of the caller's request", Sorted([]Condition{
		{HTTP: &timeoutHTTP, Status: &notOK},
		{RPC: &failedRPC, Status: &notOK},
		{ErrorType: &timeouts, Status: &notOK},
		{Status: ptr(Equal("error")), RPC: ptr(Text{NotIn: callerRPC.In}), HTTP: &Codes{NotIn: []Range{{400, 499}}}},
	})},
}

func ptr[T any](v T) *T { return &v }

// Failed returns the conditions of the preset server.
func Failed() []Condition { return Presets[0].Conditions }

func presetNames() string {
	names := make([]string, len(Presets))
	for i, p := range Presets {
		names[i] = p.Name
	}
	return strings.Join(names, " or ")
}

func presetOf(key, name string) ([]Condition, error) {
	for _, p := range Presets {
		if p.Name == name {
			return p.Conditions, nil
		}
	}
	instead := fmt.Sprintf("a map such as {%s: 5xx}", HTTPKey)
	if _, err := parseCodes("", name); err == nil {
		instead = fmt.Sprintf("{%s: %s}", HTTPKey, name)
	} else if slices.Contains(Statuses, strings.ToLower(name)) {
		instead = fmt.Sprintf("{status: %s}", strings.ToLower(name))
	} else if _, err := parseDuration("", name); err == nil {
		instead = fmt.Sprintf("{duration: %q}", name)
	} else if code := string(RPCText([]byte(name))); slices.Contains(serverRPC.In, code) || slices.Contains(callerRPC.In, code) {
		instead = fmt.Sprintf("{%s: %s}", RPCKey, code)
	}
	return nil, fmt.Errorf("%s: %q is neither a preset nor a condition; write %s, or %s", key, name, presetNames(), instead)
}

// AnyWords describes that a span meets one of the conditions, for people, as in "it failed, or it takes longer than 2s". Conditions that
// are a preset's are described as the preset.
func AnyWords(conditions []Condition) string {
	keys := map[string]bool{}
	for _, c := range conditions {
		keys[c.Key()] = true
	}
	var words []string
	covered := map[string]bool{}
	for _, p := range Presets {
		if !slices.ContainsFunc(p.Conditions, func(c Condition) bool { return !keys[c.Key()] }) {
			words = append(words, p.Words)
			for _, c := range p.Conditions {
				covered[c.Key()] = true
			}
		}
	}
	for _, c := range conditions {
		if !covered[c.Key()] {
			words = append(words, c.Words())
		}
	}
	return strings.Join(words, "; or ")
}
