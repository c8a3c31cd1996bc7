package publish

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// checkout is a git repository with two rule files in a folder of it.
func checkout(t *testing.T) (dir string, files []File) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"a.yml", "b.yml"} {
		path := filepath.Join(dir, "rules", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("old "+name), 0o640); err != nil {
			t.Fatal(err)
		}
		files = append(files, File{Path: path, Old: []byte("old " + name), New: []byte("new " + name)})
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"config", "user.email", "t@localhost"}, {"config", "user.name", "t"},
		{"config", "commit.gpgsign", "false"}, {"add", "."}, {"commit", "-q", "-m", "first"},
	} {
		git(t, dir, args...)
	}
	return dir, files
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := Git(t.Context(), dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func open(t *testing.T, files []File) *Repository {
	t.Helper()
	r, err := OpenRepository(t.Context(), Git, files)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCommitTakesTheRuleFilesAndNothingElse(t *testing.T) {
	dir, files := checkout(t)
	if err := os.WriteFile(dir+"/mine.txt", []byte("staged"), 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", "mine.txt")
	r := open(t, files)
	if err := r.Ready(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if err := Replace(files); err != nil {
		t.Fatal(err)
	}
	hash, err := r.Commit(t.Context(), "rules: test")
	if err != nil || hash != git(t, dir, "rev-parse", "HEAD") {
		t.Fatal(hash, err)
	}
	if got := git(t, dir, "show", "--format=", "--name-only", "HEAD"); got != "rules/a.yml\nrules/b.yml" {
		t.Errorf("the commit has %q", got)
	}
	if got := git(t, dir, "status", "--porcelain"); got != "A  mine.txt" {
		t.Errorf("afterwards: %q", got)
	}
	if info, err := os.Stat(files[0].Path); err != nil || info.Mode().Perm() != 0o640 {
		t.Error("the file's mode has changed", info, err)
	}
}

func TestPushReachesOrigin(t *testing.T) {
	dir, files := checkout(t)
	r := open(t, files)
	if err := r.Push(t.Context()); err == nil || !strings.Contains(err.Error(), "was not pushed") {
		t.Fatalf("without an origin: %v", err)
	}
	bare := t.TempDir()
	git(t, bare, "init", "-q", "--bare")
	git(t, dir, "remote", "add", "origin", bare)
	if _, err := r.Switch(t.Context(), "tune"); err != nil {
		t.Fatal(err)
	}
	if err := r.Push(t.Context()); err != nil {
		t.Fatal(err)
	}
	if git(t, bare, "rev-parse", "tune") != git(t, dir, "rev-parse", "HEAD") {
		t.Error("origin has another commit")
	}
}

func TestBackUndoesASwitch(t *testing.T) {
	dir, files := checkout(t)
	git(t, dir, "branch", "old")
	r := open(t, files)
	for _, start := range []string{"main", "detached"} {
		if start == "detached" {
			git(t, dir, "switch", "-q", "--detach", git(t, dir, "rev-parse", "main"))
		}
		before := git(t, dir, "branch", "-a")
		for _, branch := range []string{"old", "fresh"} {
			back, err := r.Switch(t.Context(), branch)
			if err != nil || git(t, dir, "branch", "--show-current") != branch {
				t.Fatal(branch, err)
			}
			if err := back(t.Context()); err != nil {
				t.Fatal(err)
			}
			if after := git(t, dir, "branch", "-a"); after != before {
				t.Errorf("%s, %s: got\n%s\nwant\n%s", start, branch, after, before)
			}
		}
	}
}

func TestFilesInTwoRepositoriesAreRefused(t *testing.T) {
	_, one := checkout(t)
	_, two := checkout(t)
	if _, err := OpenRepository(t.Context(), Git, append(one, two...)); err == nil || !strings.Contains(err.Error(), "two git repositories") {
		t.Error(err)
	}
}

// A commit that git has made when it is told to stop is a commit.
func TestACommitThatEndsInASignalIsFound(t *testing.T) {
	dir, files := checkout(t)
	stopped := func(ctx context.Context, dir string, args ...string) ([]byte, error) {
		out, err := Git(ctx, dir, args...)
		if err == nil && args[0] == "commit" {
			err = context.Canceled
		}
		return out, err
	}
	r, err := OpenRepository(t.Context(), stopped, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Commit(t.Context(), "nothing to commit"); err == nil {
		t.Error("a commit of nothing was made")
	}
	if err := Replace(files); err != nil {
		t.Fatal(err)
	}
	if hash, err := r.Commit(t.Context(), "rules: test"); err != nil || hash != git(t, dir, "rev-parse", "HEAD") {
		t.Error(hash, err)
	}
}

func TestReplaceIsAllOrNothing(t *testing.T) {
	_, files := checkout(t)
	read := func() string {
		t.Helper()
		var all []string
		for _, f := range files {
			data, err := os.ReadFile(f.Path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(data))
		}
		return strings.Join(all, ",")
	}
	// The second one cannot be written: there is no room for a longer name beside it.
	long := File{Path: filepath.Join(t.TempDir(), strings.Repeat("c", 250)), New: []byte("x")}
	if err := os.WriteFile(long.Path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	unwritable := append(files[:1:1], long)
	if err := Replace(unwritable); err == nil || !strings.Contains(err.Error(), "name too long") || read() != "old a.yml,old b.yml" {
		t.Error(err, read())
	}
	stale := append(files[:1:1], File{Path: files[1].Path, Old: []byte("other"), New: []byte("x")})
	if err := Replace(stale); err == nil || read() != "old a.yml,old b.yml" {
		t.Error(err, read())
	}
	if err := Replace(files); err != nil || read() != "new a.yml,new b.yml" {
		t.Error(err, read())
	}
	if err := PutBack(files); err != nil || read() != "old a.yml,old b.yml" {
		t.Error(err, read())
	}
}

func TestGitSaysWhatWentWrong(t *testing.T) {
	_, err := Git(t.Context(), t.TempDir(), "rev-parse", "--show-toplevel")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(err.Error(), "not a git repository") {
		t.Error(err)
	}
}
