package policy

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/internal/units"
)

// decode decodes the sections of all policies and their sub-policies. The error has the form of the Collector's own decoding,
// with every mistake.
func decode(types kinds, policies []Config) error {
	return decodingError(decodeAll(types, "", subsOf("policies", policies)))
}

func decodingError(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("decoding failed due to the following error(s):\n\n%w", errors.Join(errs...))
}

func decodeAll(types kinds, place string, policies []sub) (errs []error) {
	for _, p := range policies {
		at := place + p.place
		errs = append(errs, p.config.decode(types, at)...)
		if k := types[p.config.Type]; k != nil && k.subs != nil && k.fits(p.config.Section) {
			errs = append(errs, decodeAll(types, at+"."+string(k.name)+".", k.subs(p.config.Section))...)
		}
	}
	return errs
}

// decode decodes the sections in Rest. It keeps the section of the policy's own type; sections of other types are only
// checked.
func (cfg *Config) decode(types kinds, place string) (errs []error) {
	for _, key := range slices.Sorted(maps.Keys(cfg.Rest)) {
		k := types[Type(key)]
		if k == nil || k.section == nil {
			continue
		}
		if cfg.Rest[key] == nil { // the same as a missing key
			delete(cfg.Rest, key)
			continue
		}
		section := k.section()
		if err := decodeAs(place+"."+key, cfg.Rest[key], section); err != nil {
			errs = append(errs, err)
		} else if k.name == cfg.Type {
			cfg.Section = section
			delete(cfg.Rest, key)
		}
	}
	if len(cfg.Rest) == 0 {
		cfg.Rest = nil
	}
	return errs
}

// decodeAs decodes a value as the Collector decodes it at this place, which errors name.
func decodeAs(place string, value, into any) error {
	field := reflect.StructField{
		Name: "Value", Type: reflect.TypeOf(into), Tag: reflect.StructTag(fmt.Sprintf("mapstructure:%q", place)),
	}
	at := reflect.New(reflect.StructOf([]reflect.StructField{field}))
	at.Elem().Field(0).Set(reflect.ValueOf(into))
	found := units.Check(place, value, into)
	var errs []error
	for _, f := range found.Refused {
		errs = append(errs, fmt.Errorf("'%s' %s", strings.ReplaceAll(f.Key, confmap.KeyDelimiter, "."), f.Text))
		found.Rewritten[f.Key] = "0s" // to find the other mistakes
	}
	conf := confmap.NewFromStringMap(map[string]any{place: value})
	for key, written := range found.Rewritten {
		if err := conf.Merge(confmap.NewFromStringMap(map[string]any{key: written})); err != nil {
			return err
		}
	}
	err := conf.Unmarshal(at.Interface())
	if inner := errors.Unwrap(err); inner != nil {
		err = inner // without the line above all errors
	}
	return errors.Join(append(errs, err)...)
}
