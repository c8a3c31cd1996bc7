package main

import (
	"html/template"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/version"

	"github.com/MNS-Vic/upkeep/exporter/collect"
	"github.com/MNS-Vic/upkeep/internal/httpd"
)

// maxScrapes bounds how many scrapes are answered at the same time.
const maxScrapes = 40

func (a *App) handler() http.Handler {
	mux := http.NewServeMux()
	httpd.Health(mux, "The exporter", a.ready, a.Reload)
	mux.Handle("GET "+a.options.TelemetryPath, promhttp.InstrumentMetricHandler(a.registry,
		newScraper(a.registry, func() []*collect.Snapshot { return a.current.Load().set.Snapshots() }, a.options.Logger)))
	mux.HandleFunc("GET /{$}", a.landing)
	return mux
}

// row is one source on the landing page.
type row struct {
	Name, Target, State, LastSuccess, Duration string
}

func (a *App) landing(w http.ResponseWriter, _ *http.Request) {
	now := time.Now()
	var rows []row
	for _, s := range a.current.Load().status() {
		r := row{Name: s.Name, Target: s.Target, State: "ok", LastSuccess: "never", Duration: s.Duration.Round(100 * time.Microsecond).String()}
		switch {
		case !s.Tried:
			r.State, r.Duration = "not tried yet", ""
		case !s.Success:
			r.State = s.Cause
		}
		if !s.LastSuccess.IsZero() {
			r.LastSuccess = now.Sub(s.LastSuccess).Round(time.Second).String() + " ago"
		}
		rows = append(rows, r)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_ = page().Execute(w, struct {
		Version, Telemetry string
		Rows               []row
	}{version.Version, a.options.TelemetryPath, rows})
}

func page() *template.Template {
	return template.Must(template.New("landing").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Upkeep exporter</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ddd; }
</style>
</head>
<body>
<h1>Upkeep exporter</h1>
<p>{{ with .Version }}Version {{ . }}. {{ end }}<a href="{{ .Telemetry }}">Metrics</a></p>
<table>
<tr><th>Source</th><th>Target</th><th>State</th><th>Last success</th><th>Took</th></tr>
{{ range .Rows }}<tr><td>{{ .Name }}</td><td>{{ .Target }}</td><td>{{ .State }}</td><td>{{ .LastSuccess }}</td><td>{{ .Duration }}</td></tr>
{{ end }}</table>
</body>
</html>
`))
}
