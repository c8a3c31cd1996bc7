package collect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
)

func TestCauseOf(t *testing.T) {
	for want, errs := range map[Cause][]error{
		Timeout: {context.DeadlineExceeded, Fail(Connect, fmt.Errorf("x: %w", context.DeadlineExceeded))},
		Auth:    {fmt.Errorf("logging in: %w", Fail(Auth, errors.New("no")))},
		DNS:     {&net.OpError{Op: "dial", Err: &net.DNSError{Name: "nowhere", IsNotFound: true}}},
		Connect: {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}},
		Other:   {errors.New("?")},
	} {
		for _, err := range errs {
			if got := CauseOf(err); got != want {
				t.Errorf("%v: got %s, want %s", err, got, want)
			}
		}
	}
	if Fail(Auth, nil) != nil {
		t.Error("Fail makes an error of nil")
	}
}
