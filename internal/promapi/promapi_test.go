package promapi

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answer serves one fixed text: faults such as these cannot be had from a real server.
func answer(t *testing.T, code int, text string) *Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(srv.Close)
	c, err := New(srv.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestQueryReadsEveryResultType(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 500e6, time.UTC)
	vector := answer(t, 200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1767225600.5,"0.25"]}]}}`)
	got, err := vector.Query(t.Context(), "x", at)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Series{{Labels: map[string]string{"a": "b"}, Points: []Point{{at, 0.25}}}}, got); diff != "" {
		t.Error(diff)
	}
	scalar := answer(t, 200, `{"status":"success","data":{"resultType":"scalar","result":[1767225600.5,"+Inf"]}}`)
	got, err = scalar.Query(t.Context(), "x", at)
	if err != nil || len(got) != 1 || !math.IsInf(got[0].Points[0].V, 1) {
		t.Errorf("got %v, %v", got, err)
	}
	matrix := answer(t, 200, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"NaN"]]}]}}`)
	got, err = matrix.QueryRange(t.Context(), "x", at, at, time.Second)
	if err != nil || len(got) != 1 || len(got[0].Points) != 2 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAFailingServerIsAlwaysAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		code       int
		body, want string
	}{
		"bad expression": {400, `{"status":"error","errorType":"bad_data","error":"parse error"}`, "bad_data: parse error"},
		"proxy page":     {502, "<html>", "502 Bad Gateway"},
		"empty":          {200, "", "EOF"},
		"string result":  {200, `{"status":"success","data":{"resultType":"string","result":[1,"x"]}}`, "not numbers"},
		"bad value":      {200, `{"status":"success","data":{"resultType":"scalar","result":[1,"x"]}}`, `value "x"`},
	} {
		_, err := answer(t, tc.code, tc.body).Query(t.Context(), "up", time.Time{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
	if err := answer(t, 403, "Lifecycle API is not enabled.").Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "not enabled") {
		t.Errorf("got %v", err)
	}
	if _, err := New("localhost:9090", nil); err == nil {
		t.Error("an address without scheme was accepted")
	}
}
