package count

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"as it is", "GET /orders/{id}", "GET /orders/{id}"},
		{"umlauts", "Bestellung bestätigen", "Bestellung bestätigen"},
		{"not UTF-8", "a\xff\xfeb", "a\uFFFDb"},
		{"too long", strings.Repeat("x", 1000), strings.Repeat("x", maxLabel)},
		{"not cut within a character", strings.Repeat("x", maxLabel-1) + "ä", strings.Repeat("x", maxLabel-1)},
		{"not UTF-8 at the cut", strings.Repeat("\x80", 1000), "\uFFFD"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := clean(tt.in)
			assert.Equal(t, tt.want, got)
			assert.True(t, utf8.ValidString(got))
		})
	}
}
