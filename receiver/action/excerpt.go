package action

import (
	"fmt"
	"strings"
	"sync"
)

// excerptHalf is how much of the beginning and of the end of an output is kept.
const excerptHalf = 64 << 10

// excerpt keeps the beginning and the end of what is written to it.
type excerpt struct {
	mu         sync.Mutex
	head, tail []byte
	dropped    int
}

func (e *excerpt) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := len(b)
	if room := excerptHalf - len(e.head); room > 0 {
		take := min(room, len(b))
		e.head = append(e.head, b[:take]...)
		b = b[take:]
	}
	if extra := len(b) - excerptHalf; extra > 0 {
		e.dropped += extra
		b = b[extra:]
	}
	e.tail = append(e.tail, b...)
	if extra := len(e.tail) - excerptHalf; extra > 0 {
		e.dropped += extra
		e.tail = append(e.tail[:0], e.tail[extra:]...)
	}
	return n, nil
}

// String is what was kept, as text that any store and page can hold.
func (e *excerpt) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	text := string(e.head)
	if e.dropped > 0 {
		text += fmt.Sprintf("\n[... %d bytes left out ...]\n", e.dropped)
	}
	text += string(e.tail)
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
