package tracestate

import "bytes"

const (
	maxOT      = 256 // bytes of the value of one entry
	maxMembers = 32  // entries of a tracestate
)

// Update returns the tracestate of a kept span: with th raised to threshold, the rejection threshold of the decision to keep its trace, or
// unchanged if its own is as high. rv is the trace's explicit randomness (the lowest among its spans) or None; a span without one gets it.
//
// ok is false if no th can be written, because the span's own randomness does not pass the threshold. That happens only for spans that the
// decision did not know, or if rv was not passed on. Its weight is then unknown, so an existing th is removed.
//
// An entry that changes moves to the front, as W3C demands; the others stay in their order. Beyond 32 entries the last, which are the
// oldest, are removed. Malformed parts of the ot entry are removed, since they would make readers refuse the others, and so are parts other
// than rv and th that no longer fit into its 256 bytes. A tracestate that needs no change is returned as it is.
func Update(tracestate string, id [16]byte, rv, threshold uint64) (updated string, ok bool) {
	own := Parse(tracestate)
	random := own.Randomness
	if random == None {
		random = rv
	}
	passed := Resolve(id, random)
	if own.Threshold != None && own.Threshold <= passed {
		threshold = max(threshold, own.Threshold)
	}
	if ok = threshold <= passed; !ok {
		threshold = None
	}
	if own.tidy && own.Threshold == threshold && own.Randomness == random {
		return tracestate, ok
	}
	return write(tracestate, random, threshold), ok
}

// write writes an ot entry with rv and th, unless they are None, in front of the other entries.
func write(tracestate string, rv, th uint64) string {
	const prefix = len("ot=")
	var room [128]byte // on the stack; few tracestates are longer
	out := append(room[:0], "ot="...)
	if rv != None {
		out = appendHex(append(out, "rv:"...), rv)
	}
	if th != None {
		out = appendThreshold(append(separate(out, prefix, ';'), "th:"...), th)
	}
	for rest := ot(tracestate); rest != ""; {
		var sub string
		sub, rest = cut(rest, ';')
		if !wellFormed(sub) || hasKey(sub, "rv:") || hasKey(sub, "th:") || len(out)-prefix+1+len(sub) > maxOT {
			continue
		}
		out = append(separate(out, prefix, ';'), sub...)
	}
	members := 1
	if len(out) == prefix {
		out, members = out[:0], 0
	}
	for rest := tracestate; rest != "" && members < maxMembers; {
		var m string
		m, rest = cut(rest, ',')
		if m = trim(m); m == "" || isOT(m) {
			continue
		}
		out = append(separate(out, 0, ','), m...)
		members++
	}
	return string(out)
}

// ot returns the value of the first ot entry.
func ot(tracestate string) string {
	for rest := tracestate; rest != ""; {
		var m string
		m, rest = cut(rest, ',')
		if m = trim(m); isOT(m) {
			return m[len("ot="):]
		}
	}
	return ""
}

// separate appends c if out has grown since start.
func separate(out []byte, start int, c byte) []byte {
	if len(out) > start {
		out = append(out, c)
	}
	return out
}

// appendHex appends the 14 hex digits of n.
func appendHex(out []byte, n uint64) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		out = append(out, "0123456789abcdef"[n>>shift&0xf])
	}
	return out
}

// appendThreshold appends the digits of th without trailing zeros; 0 keeps one.
func appendThreshold(out []byte, th uint64) []byte {
	start := len(out)
	out = appendHex(out, th)
	return append(out[:start+1], bytes.TrimRight(out[start+1:], "0")...)
}
