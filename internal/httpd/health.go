package httpd

import (
	"io"
	"net/http"
)

// Health registers the endpoints every daemon of the Prometheus family has:
// /-/healthy answers 200 while the process lives, /-/ready answers 200 once
// ready returns nil and 503 with the reason before, POST /-/reload calls
// reload and answers 500 with the reason when the new configuration is refused.
func Health(mux *http.ServeMux, name string, ready, reload func() error) {
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, name+" is healthy.\n")
	})
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			http.Error(w, name+" is not ready: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, name+" is ready.\n")
	})
	reloader := func(w http.ResponseWriter, _ *http.Request) {
		if err := reload(); err != nil {
			http.Error(w, "reloading: "+err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, "reloaded\n")
	}
	mux.HandleFunc("POST /-/reload", reloader)
	mux.HandleFunc("PUT /-/reload", reloader)
}
