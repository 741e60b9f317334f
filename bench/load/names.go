package load

import (
	"bytes"
	"strings"
)

// Names sets the number of services, and of span names of each: a number is appended to each name. The zero value appends
// none: five services, and a name for each span of a trace. At most 5,000 services and 10,000 names.
type Names struct{ Services, Operations int }

const (
	serviceDigits, operationDigits = 3, 4
	serviceSign, operationSign     = "\x01", "\x02" // stand for the digits until number has found them
)

func (n Names) serviceMark() string {
	if n.Services == 0 {
		return ""
	}
	return "-" + strings.Repeat(serviceSign, serviceDigits)
}

func (n Names) operationMark() string {
	if n.Operations == 0 {
		return ""
	}
	return " " + strings.Repeat(operationSign, operationDigits)
}

// number finds the offsets of the digits of names, and sets how many numbers a service needs.
func (t *template) number(names Names, service int) {
	if names.Services > 0 {
		t.replicas = uint64(max(1, names.Services/len(services)))
		t.service = bytes.Index(t.body, []byte(names.serviceMark())) + 1
	}
	if names.Operations == 0 {
		return
	}
	t.operations = uint64(max(1, names.Operations/namesOf(service)))
	for i := range t.slots {
		s := &t.slots[i]
		s.name = s.spanID + bytes.Index(t.body[s.spanID:], []byte(names.operationMark())) + 1
	}
}

// namesOf returns the number of span names of a service, without numbers.
func namesOf(service int) int {
	names := map[string]bool{}
	for _, p := range plan {
		if p.service == service {
			names[p.name] = true
		}
	}
	return len(names)
}

// digits writes n in decimal, with zeros in front.
func digits(dst []byte, n uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
}
