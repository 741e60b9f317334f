package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.uber.org/zap"
)

// Options are about all policies of a set.
type Options struct {
	// Contrib decides as contrib's processor does, its defects included, where a user may depend on that.
	Contrib bool
	// FirstMatch says that policies after the first that samples a trace do not take account of it: rate limits are not
	// charged for what is kept already. The threshold is still the least of all that sample it, as it was sure to
	// be kept above that, whichever policies were asked.
	FirstMatch bool
	// Logger is told of conditions that fail, at most once a minute; nil is nobody.
	Logger *zap.Logger
}

// Compile validates the policies and makes a Set of them. The error names every mistake, by index, name and key.
func Compile(policies []Config, options Options) (*Set, error) {
	c := newCompiler(options)
	s := &Set{firstMatch: options.FirstMatch}
	var errs []error
	if len(policies) == 0 {
		errs = append(errs, errors.New("policies must list at least one policy"))
	}
	names := map[string]int{}
	for i := range policies {
		cfg := &policies[i]
		c.path = place("policies", i, cfg.Name)
		if first, used := names[cfg.Name]; used && cfg.Name != "" {
			errs = append(errs, fmt.Errorf("%s: name is used by policies[%d] already; give each policy its own", c.path, first))
		}
		names[cfg.Name] = i
		if cfg.Name == "" {
			errs = append(errs, fmt.Errorf("%s: name is required", c.path))
		}
		r, err := c.compile(cfg, allTypes)
		if err != nil {
			errs = append(errs, prefixed(c.path, err)...)
			continue
		}
		s.policies = append(s.policies, policy{name: cfg.Name, kind: cfg.Type, rule: r, config: *cfg})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(policies, func(p Config) bool { return p.Type != Drop }) {
		c.warnings = append(c.warnings, "policies: all are of type drop, so no trace is ever kept; add one that samples")
	}
	c.finish(s)
	return s, nil
}

// compiler gives each distinct question about spans one bit.
type compiler struct {
	Options
	path        string         // of the policy being compiled, for warnings
	bits        map[string]int // question to bit
	words       int            // that are in use
	next        int            // the next bit, if it is in a word that is in use
	status      [statusCodes]int
	keys        map[string]*attribute
	questions   []spanQuestion
	observers   []observer
	skeleton    bool                 // a policy asks for it
	diversities int                  // policies of that type
	traceKeys   map[string]*traceKey // by their fields
	warnings    []string

	conditions, resourceConditions []conditions
	values                         int // of attributes that conditions read
	errors                         *evaluationErrors
	ottl                           *ottlParsers // nil until needed
}

func newCompiler(options Options) *compiler {
	c := &compiler{
		Options: options, bits: map[string]int{}, keys: map[string]*attribute{}, traceKeys: map[string]*traceKey{},
		errors: newEvaluationErrors(options.Logger),
	}
	for code := range c.status {
		c.status[code] = unasked
	}
	c.statusBit(statusError) // the first, so that it is errorBit, whether a policy asks or not
	return c
}

// bit returns the bit of a question, and whether it was asked before.
func (c *compiler) bit(question string) (bit int, known bool) {
	if bit, known = c.bits[question]; known {
		return bit, true
	}
	if c.next%wordBits == 0 {
		c.next = c.word() * wordBits
	}
	bit = c.next
	c.next++
	c.bits[question] = bit
	return bit, false
}

const wordBits = 64

// word returns a word of each trace's bits that an observer has to itself. It begins as 0.
func (c *compiler) word() int {
	c.words++
	return c.words - 1
}

// compile makes a rule of a policy or sub-policy, which must be of one of the types.
func (c *compiler) compile(cfg *Config, types []Type) (rule, error) {
	if !slices.Contains(types, cfg.Type) {
		return nil, unsupported(cfg.Type, types)
	}
	sections := cfg.sections()
	var errs []error
	for _, t := range slices.Sorted(maps.Keys(sections)) {
		if t != cfg.Type {
			errs = append(errs, fmt.Errorf("%s does not belong to a policy of type %s; remove it or change the type", t, cfg.Type))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(cfg.Rest)) {
		errs = append(errs, fmt.Errorf("unknown key %s; a policy of type %s has %s", key, cfg.Type, keysOf(cfg.Type)))
	}
	r, bare := c.bare(cfg.Type)
	if !bare {
		own, ok := sections[cfg.Type]
		if !ok {
			return nil, errors.Join(append(errs, fmt.Errorf("%s is required by the type", cfg.Type))...)
		}
		var err error
		if r, err = own.compile(c); err != nil {
			errs = append(errs, prefixed(string(cfg.Type), err)...)
		}
	}
	return r, errors.Join(errs...)
}

// compileAll makes rules of the sub-policies under key. All errors are joined.
func (c *compiler) compileAll(key string, policies []Config) (rules []rule, err error) {
	if len(policies) == 0 {
		return nil, fmt.Errorf("%s must list at least one policy", key)
	}
	var errs []error
	for i := range policies {
		r, err := c.compileOne(place(key, i, policies[i].Name), &policies[i])
		if err != nil {
			errs = append(errs, err)
		}
		rules = append(rules, r)
	}
	return rules, errors.Join(errs...)
}

// compileOne makes a rule of the sub-policy at a place.
func (c *compiler) compileOne(place string, cfg *Config) (rule, error) {
	outer := c.path
	c.path += ": " + place
	r, err := c.compile(cfg, subTypes)
	c.path = outer
	if err != nil {
		return nil, errors.Join(prefixed(place, err)...)
	}
	return r, nil
}

// bare returns the rule of a type that has no section.
func (c *compiler) bare(t Type) (rule, bool) {
	switch t {
	case AlwaysSample:
		return always{}, true
	case TraceFlags:
		return c.span("sampled flag", traceFlags{}), true
	default:
		return nil, false
	}
}

func (c *compiler) warn(format string, args ...any) {
	c.warnings = append(c.warnings, c.path+": "+fmt.Sprintf(format, args...))
}

func unsupported(t Type, types []Type) error {
	supported := make([]string, len(types))
	for i, s := range types {
		supported[i] = string(s)
	}
	slices.Sort(supported)
	list := strings.Join(supported, ", ")
	switch {
	case t == "":
		return fmt.Errorf("type is required; supported types: %s", list)
	case slices.Contains(allTypes, t):
		return fmt.Errorf("type %q cannot be a sub-policy; supported there: %s", t, list)
	}
	return fmt.Errorf("type %q is not supported; supported types: %s", t, list)
}

func keysOf(t Type) string {
	if t == AlwaysSample || t == TraceFlags {
		return "name and type"
	}
	return "name, type and " + string(t)
}

// place names a policy in errors: the list's key, the index, and the name if there is one.
func place(key string, i int, name string) string {
	if name == "" {
		return fmt.Sprintf("%s[%d]", key, i)
	}
	return fmt.Sprintf("%s[%d] %q", key, i, name)
}

// prefixed puts a place in front of each error that was joined.
func prefixed(place string, err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{fmt.Errorf("%s: %w", place, err)}
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, prefixed(place, e)...)
	}
	return errs
}
