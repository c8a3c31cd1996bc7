package api

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"
)

// The phases of a probe, in order. Whatever is none of the others is wait: the
// delay of the start, and waiting inside the client.
const (
	wait = iota
	resolve
	connect
	handshake
	processing
	transfer
	phaseCount
)

// phaseNames are the values of the label phase.
func phaseNames() [phaseCount]string {
	return [phaseCount]string{"wait", "resolve", "connect", "tls", "processing", "transfer"}
}

// phaseClock is in one phase at any time, so that the phases add up to the
// time between due and stop whatever happens in between.
type phaseClock struct {
	mu      sync.Mutex
	spent   [phaseCount]time.Duration
	phase   int
	since   time.Time
	reused  bool
	stopped bool
}

func newPhaseClock(due time.Time) *phaseClock {
	return &phaseClock{phase: wait, since: due}
}

// enter ends the current phase. A dial may go on after its request is over;
// what it reports then is ignored.
func (c *phaseClock) enter(phase int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(time.Now())
	c.phase = phase
}

func (c *phaseClock) advance(now time.Time) {
	if c.stopped {
		return
	}
	c.spent[c.phase] += max(0, now.Sub(c.since))
	c.since = now
}

// stop ends the last phase.
func (c *phaseClock) stop(now time.Time) (seconds [phaseCount]float64, reused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(now)
	c.stopped = true
	for i, d := range c.spent {
		seconds[i] = d.Seconds()
	}
	return seconds, c.reused
}

// trace makes a request tell the clock where it is.
func (c *phaseClock) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:          func(httptrace.DNSStartInfo) { c.enter(resolve) },
		DNSDone:           func(httptrace.DNSDoneInfo) { c.enter(wait) },
		ConnectStart:      func(string, string) { c.enter(connect) },
		TLSHandshakeStart: func() { c.enter(handshake) },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { c.enter(wait) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil { // else another address may still be tried
				c.enter(wait)
			}
		},
		GotConn: func(info httptrace.GotConnInfo) {
			c.enter(processing)
			c.mu.Lock()
			c.reused = info.Reused
			c.mu.Unlock()
		},
		GotFirstResponseByte: func() { c.enter(transfer) },
	})
}
