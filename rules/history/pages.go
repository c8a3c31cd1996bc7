// Package history fetches what the tuner decides on: judged pages, from the
// receiver or a file, and the series behind a rule, from Prometheus or
// anything that speaks its API.
//
// It decides nothing. What is missing is an error or a gap that says so, never
// a guess. The rules program calls it.
package history

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/internal/secret"
	"github.com/MNS-Vic/upkeep/internal/verdict"
)

// maxHistory bounds what a receiver may answer: some million pages.
const maxHistory = 1 << 30

// FromFile reads pages as JSON lines; "-" is in.
func FromFile(path string, in io.Reader) ([]verdict.Page, error) {
	if path == "-" {
		return verdict.Read(in)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading history: %w", err)
	}
	defer f.Close()
	pages, err := verdict.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return pages, nil
}

// FromReceiver reads the pages that began since a time. token may be empty.
func FromReceiver(ctx context.Context, base string, token secret.Secret, since time.Time) ([]verdict.Page, error) {
	address := strings.TrimRight(base, "/") + "/api/v1/history?" + url.Values{"since": {since.UTC().Format(time.RFC3339)}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("asking the receiver for the history: %w", err)
	}
	if !token.Empty() {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the receiver for the history: %w; is it running there?", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return nil, fmt.Errorf("asking the receiver for the history: %s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	pages, err := verdict.Read(io.LimitReader(resp.Body, maxHistory))
	if err != nil {
		return nil, fmt.Errorf("reading the receiver's history: %w", err)
	}
	return pages, nil
}
