package edit

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/schema"
)

// Kind says what an action does to the attribute with its key.
type Kind uint8

// The kinds of actions.
const (
	Insert Kind = iota // set the value where there is no such attribute
	Update             // set the value where there is one
	Upsert             // set the value
	Delete             // remove the attribute
)

// Action is a change to one attribute. Value is a literal, and unused where the kind is Delete.
type Action struct {
	Kind  Kind
	Key   string
	Value pcommon.Value
}

// Actions change the attributes of spans or of resources, in order. They may be used concurrently.
type Actions struct {
	keys     []string
	literals [][]byte // KeyValue messages
	steps    []step
}

type step struct {
	kind         Kind
	key, literal int16
}

const maxActions = 1 << 14

// NewActions compiles a list. The error says that it is longer than 16,384, or that a value cannot be written.
func NewActions(list []Action) (*Actions, error) {
	if len(list) > maxActions {
		return nil, fmt.Errorf("there are %d actions, more than %d", len(list), maxActions)
	}
	a := &Actions{}
	for _, action := range list {
		s := step{kind: action.Kind, key: int16(slices.Index(a.keys, action.Key)), literal: none}
		if s.key < 0 {
			s.key = int16(len(a.keys))
			a.keys = append(a.keys, action.Key)
		}
		if action.Kind != Delete {
			kv, err := keyValue(action.Key, action.Value)
			if err != nil {
				return nil, err
			}
			s.literal = int16(len(a.literals))
			a.literals = append(a.literals, kv)
		}
		a.steps = append(a.steps, s)
	}
	return a, nil
}

// keyValue encodes a KeyValue message as the Collector does.
func keyValue(key string, v pcommon.Value) ([]byte, error) {
	td := ptrace.NewTraces()
	v.CopyTo(td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes().PutEmpty(key))
	r, release, err := wire.Peek(context.Background(), td)
	if err != nil {
		return nil, err
	}
	defer release()
	body := r.Spans[0].Body.Of(r.Bytes)
	start, end := schema.Span.Seek(body, 0, schema.SpanFieldAttributes)
	return slices.Clone(body[start:end]), nil
}

// index returns which of the keys it is, none if it is another.
func (a *Actions) index(key []byte) int16 {
	for i, k := range a.keys {
		if string(key) == k {
			return int16(i)
		}
	}
	return none
}
