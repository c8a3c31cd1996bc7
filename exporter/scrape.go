package main

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

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
	slots     chan struct{}   // bounds how many scrapes are answered at once
	gzip      chan compressor // kept between scrapes: making one costs more than using it
	zstd      chan compressor
}

// keptCompressors is how many compressors of a kind are kept.
const keptCompressors = 2

func newScraper(registry prometheus.Gatherer, snapshots func() []*collect.Snapshot, logger *slog.Logger) *scraper {
	return &scraper{
		registry: registry, snapshots: snapshots, logger: logger, slots: make(chan struct{}, maxScrapes),
		gzip: make(chan compressor, keptCompressors), zstd: make(chan compressor, keptCompressors),
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
	format := expfmt.Negotiate(r.Header)
	w.Header().Set("Content-Type", string(format))
	w.Header().Set("Vary", "Accept, Accept-Encoding")
	out, done := s.compressed(w, r)
	if err := write(out, format, own, s.snapshots()); err != nil && r.Context().Err() == nil {
		s.logger.Error("writing metrics", "format", format, "err", err)
	}
	done()
}

// write writes everything in one format. A family of the program's own stays
// its own: a file or a server cannot claim its name.
func write(w io.Writer, format expfmt.Format, own []*dto.MetricFamily, snapshots []*collect.Snapshot) error {
	taken := make(map[string]bool, len(own))
	enc := expfmt.NewEncoder(w, format)
	for _, f := range own {
		taken[f.GetName()] = true
		if err := enc.Encode(f); err != nil {
			return err
		}
	}
	if format.FormatType() == expfmt.TypeTextPlain {
		return collect.WriteText(w, snapshots, taken)
	}
	for _, f := range collect.Families(snapshots, taken) {
		if err := enc.Encode(f); err != nil {
			return err
		}
	}
	return nil
}

// compressor is what both encodings offer.
type compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

// compressed is where to write, and what ends it.
func (s *scraper) compressed(w http.ResponseWriter, r *http.Request) (out io.Writer, done func()) {
	encoding := encodingOf(r.Header.Get("Accept-Encoding"))
	kept, make := s.gzip, newGzip
	switch encoding {
	case "":
		b := bufio.NewWriterSize(w, 64<<10)
		return b, func() { _ = b.Flush() } // the scraper is gone, there is nobody to tell
	case "zstd":
		kept, make = s.zstd, newZstd
	}
	w.Header().Set("Content-Encoding", encoding)
	var z compressor
	select {
	case z = <-kept:
	default:
		z = make()
	}
	z.Reset(w)
	return z, func() {
		_ = z.Close()
		z.Reset(io.Discard)
		select {
		case kept <- z:
		default:
		}
	}
}

func newGzip() compressor {
	w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}

func newZstd() compressor {
	w, err := zstd.NewWriter(io.Discard, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(256<<10))
	if err != nil {
		panic(err) // the options are constants
	}
	return w
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
