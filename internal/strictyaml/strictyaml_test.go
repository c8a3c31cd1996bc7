package strictyaml

import (
	"testing"
	"time"
)

type conf struct {
	Name  string          `yaml:"name"`
	Limit int             `yaml:"limit"`
	Nest  struct{ X int } `yaml:"nest"`
	Wait  positive        `yaml:"wait"`
}

type positive struct{ d time.Duration }

func (p *positive) UnmarshalYAML(node *Node) error {
	d, err := time.ParseDuration(node.Value)
	if err != nil || d <= 0 {
		return ErrorAt(node, "wait %q must be a duration above 0", node.Value)
	}
	p.d = d
	return nil
}

func TestMistakesNameFileAndLine(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"unknown key":  {"name: a\nnest:\n  y: 1\n", `c.yml:3: unknown key "y", check its spelling and its indentation`},
		"wrong type":   {"limit: many\n", "c.yml:1: cannot unmarshal !!str `many` into int"},
		"repeated key": {"name: a\nname: b\n", `c.yml:2: key "name" stands here again, first on line 1`},
		"second doc":   {"name: a\n---\nname: b\n", "c.yml:2: a second YAML document begins here, only one is read"},
		"syntax":       {"name: a\n b: [\n", "c.yml:2: mapping values are not allowed in this context"},
		"own check":    {"name: a\nwait: -1s\n", `c.yml:2: wait "-1s" must be a duration above 0`},
		"two mistakes": {"a: 1\nb: 2\n", "c.yml:1: unknown key \"a\", check its spelling and its indentation\nc.yml:2: unknown key \"b\", check its spelling and its indentation"},
		"good":         {"name: a\nlimit: 2\n", ""},
		"empty":        {"", ""},
		"comment only": {"# nothing\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var c conf
			got := ""
			if err := Decode("c.yml", []byte(tc.in), &c); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}
