package check

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// maxBody is how much of an answer is read, so that the connection can be used
// again; what is above is left.
const maxBody = 64 << 10

// probe holds when an address answers with the status expected: "200" (when
// nothing is said), a class such as "2xx", or either negated, "!2xx", which
// holds as well when nothing answers at all.
type probe struct{ client *http.Client }

func (p probe) check(ctx context.Context, c incident.Check) (incident.Finding, error) {
	want, negated := strings.CutPrefix(c.Expect, "!")
	if want == "" {
		want = "200"
	}
	if !validStatus(want) {
		return incident.Finding{}, fmt.Errorf("expected status %q is not of the form 200, 2xx, !200 or !2xx", c.Expect)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Query, nil)
	if err != nil {
		return incident.Finding{}, fmt.Errorf("asking %q: %w", c.Query, err)
	}
	if req.URL.Host == "" {
		return incident.Finding{}, fmt.Errorf("asking %q: it is not of the form http://host/path", c.Query)
	}
	req.Header.Set("User-Agent", "upkeep-receiver")
	resp, err := p.client.Do(req)
	if err != nil {
		if ctx.Err() != nil && context.Cause(ctx) == context.Canceled {
			return incident.Finding{}, context.Cause(ctx) // we were stopped, the other side did nothing wrong
		}
		return incident.Finding{Holds: negated, Text: err.Error()}, nil
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	code := float64(resp.StatusCode)
	return incident.Finding{Holds: matches(want, resp.StatusCode) != negated, Text: "status " + resp.Status, Value: &code}, nil
}

func validStatus(want string) bool {
	if class, ok := strings.CutSuffix(want, "xx"); ok {
		return len(class) == 1 && class[0] >= '1' && class[0] <= '5'
	}
	code, err := strconv.Atoi(want)
	return err == nil && code >= 100 && code <= 599
}

func matches(want string, code int) bool {
	if class, ok := strings.CutSuffix(want, "xx"); ok {
		return strconv.Itoa(code/100) == class
	}
	return strconv.Itoa(code) == want
}
