package index

// Kind distinguishes lists: an entry can be in one list of each kind at a time.
type Kind uint8

const (
	// ByState is for the lists by state: a trace is in exactly one of them.
	ByState Kind = iota
	// ByQuiet is for the list of rooted traces, by quiet time.
	ByQuiet
	kinds
)

// neighbors are the entries before and after in a list, 0 at the ends.
type neighbors struct{ prev, next Slot }

// List is a doubly linked list of entries of one Index, by slot. The zero List is an empty one of the kind ByState.
type List[T any, P Entry[T]] struct {
	head, tail Slot
	kind       Kind
}

// NewList returns an empty list.
func NewList[T any, P Entry[T]](kind Kind) List[T, P] { return List[T, P]{kind: kind} }

// Head is the first entry, 0 in an empty list.
func (l *List[T, P]) Head() Slot { return l.head }

// Empty reports whether no entry is in the list.
func (l *List[T, P]) Empty() bool { return l.head == 0 }

// Next is the entry after one, 0 at the end.
func (l *List[T, P]) Next(x *Index[T, P], n Slot) Slot { return l.at(x, n).next }

// Prev is the entry before one, 0 at the beginning.
func (l *List[T, P]) Prev(x *Index[T, P], n Slot) Slot { return l.at(x, n).prev }

func (l *List[T, P]) at(x *Index[T, P], n Slot) *neighbors { return &x.At(n).node().neighbors[l.kind] }

// PushBack appends an entry, which must be in no list of the kind.
func (l *List[T, P]) PushBack(x *Index[T, P], n Slot) {
	*l.at(x, n) = neighbors{prev: l.tail}
	if l.tail == 0 {
		l.head = n
	} else {
		l.at(x, l.tail).next = n
	}
	l.tail = n
}

// Remove removes an entry, which must be in the list.
func (l *List[T, P]) Remove(x *Index[T, P], n Slot) {
	at := *l.at(x, n)
	if at.prev == 0 {
		l.head = at.next
	} else {
		l.at(x, at.prev).next = at.next
	}
	if at.next == 0 {
		l.tail = at.prev
	} else {
		l.at(x, at.next).prev = at.prev
	}
}
