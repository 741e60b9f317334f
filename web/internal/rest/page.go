package rest

import (
	"net/http"
	"unsafe"

	jsoniter "github.com/json-iterator/go"

	"github.com/slowburn/slowburn/internal/brief"
)

const (
	// MaxSpans is the maximum number of spans in an answer.
	MaxSpans = 100_000
	// maxText is the maximum length of one text in bytes.
	maxText = 64 << 10
	// maxDetails is the maximum size of all texts and attributes in bytes.
	maxDetails = 32 << 20
	// spentText is the maximum length of one text in bytes once the answer has maxDetails.
	spentText = 128
	// itemBytes is the size of an attribute, an event or a link besides its texts.
	itemBytes = 32
)

// Page is a JSON answer of bounded size: it cuts long texts, and leaves out attributes, events and links once the answer is large.
// Warnings says so. It is for one answer, and one goroutine.
type Page struct {
	JSON
	most      int  // bytes of texts and attributes before others are left out
	integers  bool // stay numbers, however large
	spent     int  // bytes of texts and attributes
	cut, left int
	keys      keySet // empty, for its memory
	held      int    // keys that are remembered
}

// NewPage returns an empty answer that goes to w. Nothing is written before the first value.
func NewPage(w http.ResponseWriter) *Page {
	return &Page{JSON: JSON{stream: jsoniter.NewStream(jsoniter.ConfigDefault, nil, pageBuffer+pageBuffer/8), w: w}, most: maxDetails}
}

// Text writes a text. Long ones are cut.
func (p *Page) Text(text string) {
	p.value()
	p.stream.WriteStringWithHTMLEscaped(p.short(text))
}

// Bytes writes a text without copying it.
func (p *Page) Bytes(text []byte) { p.Text(view(text)) }

// view returns b as a string, which is valid while b does not change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// short returns a text, cut if it is long.
func (p *Page) short(text string) string {
	most := maxText
	if p.full() {
		most = spentText
	}
	if len(text) > most {
		text = brief.Text(text, most)
		p.cut++
	}
	p.spent += len(text)
	return text
}

// Item reports whether there is room for another attribute, event or link.
func (p *Page) Item() bool {
	if p.full() {
		p.left++
		return false
	}
	p.spent += itemBytes
	return true
}

func (p *Page) full() bool { return p.spent+itemBytes > p.most }

// Omit counts items that are left out because the answer is Full.
func (p *Page) Omit(items int) { p.left += items }

// Full reports whether something was left out for lack of room.
func (p *Page) Full() bool { return p.left > 0 || p.full() }

// Key writes the key of the next value, as JSON.Key does.
func (p *Page) Key(key string) *Page {
	p.JSON.Key(key)
	return p
}
