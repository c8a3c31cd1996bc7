package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// scraper answers scrapes from memory: the program's own registry through the
// library, the snapshots as the text that they already are. Formats other than
// text, which Prometheus asks for where native histograms are wanted, are made
// of the same snapshots. OpenMetrics is not offered: it would rename counters
// that dashboards ask for without _total.
type scraper struct {
	registry  prometheus.Gatherer
	snapshots func() []*collect.Snapshot
	logger    *slog.Logger
	slots     chan struct{} // bounds how many scrapes are answered at once
	text      sync.Pool     // *[]byte
	gzip      sync.Pool     // *gzip.Writer
	zstd      sync.Pool     // *zstd.Encoder
}

func newScraper(registry prometheus.Gatherer, snapshots func() []*collect.Snapshot, logger *slog.Logger) *scraper {
	return &scraper{
		registry: registry, snapshots: snapshots, logger: logger, slots: make(chan struct{}, maxScrapes),
		text: sync.Pool{New: func() any { return new([]byte) }},
		gzip: sync.Pool{New: func() any {
			w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
			if err != nil {
				panic(err) // the level is a constant
			}
			return w
		}},
		zstd: sync.Pool{New: func() any {
			w, err := zstd.NewWriter(io.Discard, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
				zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(256<<10))
			if err != nil {
				panic(err) // the options are constants
			}
			return w
		}},
	}
}

var _ http.Handler = (*scraper)(nil)

func (s *scraper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		http.Error(w, fmt.Sprintf("%d scrapes are being answered already, try again later", maxScrapes), http.StatusServiceUnavailable)
		return
	}
	own, err := s.registry.Gather()
	if err != nil {
		s.logger.Error("gathering the program's own metrics", "err", err) // what could be gathered is served
	}
	buf := s.text.Get().(*[]byte)
	defer s.text.Put(buf)
	format := expfmt.Negotiate(r.Header)
	*buf, err = encode((*buf)[:0], format, own, s.snapshots())
	if err != nil {
		s.logger.Error("encoding metrics", "format", format, "err", err)
		http.Error(w, "encoding metrics: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", string(format))
	w.Header().Set("Vary", "Accept, Accept-Encoding")
	s.send(w, r, *buf)
}

// encode appends everything in one format. A family of the program's own stays
// its own: a file or a server cannot claim its name.
func encode(to []byte, format expfmt.Format, own []*dto.MetricFamily, snapshots []*collect.Snapshot) ([]byte, error) {
	taken := make(map[string]bool, len(own))
	for _, f := range own {
		taken[f.GetName()] = true
	}
	out := bytes.NewBuffer(to)
	enc := expfmt.NewEncoder(out, format)
	for _, f := range own {
		if err := enc.Encode(f); err != nil {
			return out.Bytes(), err
		}
	}
	if format.FormatType() == expfmt.TypeTextPlain {
		return collect.AppendText(out.Bytes(), snapshots, taken), nil
	}
	for _, f := range collect.Families(snapshots, taken) {
		if err := enc.Encode(f); err != nil {
			return out.Bytes(), err
		}
	}
	return out.Bytes(), nil
}

// compressor is what both encodings offer.
type compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

func (s *scraper) send(w http.ResponseWriter, r *http.Request, body []byte) {
	var pool *sync.Pool
	switch encoding := encodingOf(r.Header.Get("Accept-Encoding")); encoding {
	case "gzip":
		pool = &s.gzip
		w.Header().Set("Content-Encoding", encoding)
	case "zstd":
		pool = &s.zstd
		w.Header().Set("Content-Encoding", encoding)
	}
	if pool == nil {
		_, _ = w.Write(body) // the scraper is gone, there is nobody to tell
		return
	}
	z := pool.Get().(compressor)
	defer pool.Put(z)
	z.Reset(w)
	_, _ = z.Write(body)
	_ = z.Close()
}

// encodingOf chooses from what the scraper accepts, gzip where it leaves the
// choice, as Prometheus does.
func encodingOf(accept string) string {
	found := ""
	for part := range strings.SplitSeq(accept, ",") {
		name, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.ReplaceAll(parameters, " ", "") == "q=0" {
			continue
		}
		switch name = strings.TrimSpace(name); {
		case name == "gzip":
			return name
		case name == "zstd":
			found = name
		}
	}
	return found
}
