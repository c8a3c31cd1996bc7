package host

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMounts(t *testing.T) {
	text := `proc /host/proc proc rw 0 0
overlay / overlay rw 0 0
/dev/a /host ext4 rw 0 0
/dev/b /host/data xfs rw,ro 0 0
/dev/c /host/data ext4 rw 0 0
overlay /host/elsewhere overlay rw 0 0
short line
`
	for root, want := range map[string][]mount{
		"/":     {{"overlay", "/", "overlay", false}, {"/dev/a", "/host", "ext4", false}, {"/dev/c", "/host/data", "ext4", false}},
		"/host": {{"/dev/a", "/", "ext4", false}, {"/dev/c", "/data", "ext4", false}},
	} {
		if diff := cmp.Diff(want, parseMounts(text, root), cmp.AllowUnexported(mount{})); diff != "" {
			t.Errorf("%s:\n%s", root, diff)
		}
	}
}

func FuzzParsers(f *testing.F) {
	f.Add("Active(anon):  1 kB\nTcp: A\nTcp: 1\n: \n")
	f.Fuzz(func(_ *testing.T, text string) {
		nothing := func(string, string, float64) {}
		parseMeminfo(text)
		parsePairs(text, nothing)
		parseSNMP6(text, nothing)
		parseSockstat(text, func(string, float64) {})
		parseMounts(text, "/")
	})
}
