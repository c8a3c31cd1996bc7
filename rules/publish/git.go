package publish

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Runner runs git in a folder and returns what it printed.
type Runner func(ctx context.Context, dir string, args ...string) ([]byte, error)

// gitPatience is how long git, or a hook of it, may take to end after a signal.
const gitPatience = 10 * time.Second

// Git runs the git command, with the person's own settings: hooks, signing and
// credentials are theirs.
func Git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // git then takes its locks away
	cmd.WaitDelay = gitPatience
	out, err := cmd.CombinedOutput()
	if err != nil {
		return out, fmt.Errorf("running git %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
	}
	return out, nil
}

// Repository is the checkout that holds the rule files.
type Repository struct {
	git   Runner
	dir   string
	paths []string // relative to dir
}

// OpenRepository finds the one checkout that holds all files.
func OpenRepository(ctx context.Context, git Runner, files []File) (*Repository, error) {
	r := &Repository{git: git}
	for _, f := range files {
		abs, err := filepath.Abs(f.Path)
		if err != nil {
			return nil, fmt.Errorf("finding the git repository: %w", err)
		}
		if abs, err = filepath.EvalSymlinks(abs); err != nil {
			return nil, fmt.Errorf("finding the git repository: %w", err)
		}
		out, err := git(ctx, filepath.Dir(abs), "rev-parse", "--show-toplevel")
		if err != nil {
			return nil, fmt.Errorf("%q is in no git repository, leave out --commit or run git init: %w", f.Path, err)
		}
		top := strings.TrimSpace(string(out))
		if r.dir != "" && r.dir != top {
			return nil, fmt.Errorf("the rule files are in two git repositories, %q and %q; run it for each", r.dir, top)
		}
		r.dir = top
		rel, err := filepath.Rel(top, abs)
		if err != nil {
			return nil, fmt.Errorf("finding the git repository: %w", err)
		}
		r.paths = append(r.paths, rel)
	}
	return r, nil
}

// Ready refuses a checkout in which a commit of these files would take more
// than this change, or could not be found again.
func (r *Repository) Ready(ctx context.Context, branch string) error {
	out, err := r.git(ctx, r.dir, append([]string{"status", "--porcelain=v1", "--untracked-files=all", "--"}, r.paths...)...)
	if err != nil {
		return err
	}
	if text := strings.TrimRight(string(out), "\n"); text != "" {
		return fmt.Errorf("the rule files have changes that are not committed, commit or discard them first:\n%s", text)
	}
	if branch != "" {
		return nil
	}
	if _, err := r.git(ctx, r.dir, "symbolic-ref", "-q", "HEAD"); err != nil {
		return errors.New("HEAD is detached, a commit there would be lost; name a branch with --branch")
	}
	return nil
}

// Switch goes to a branch, which is made when there is none of that name. back
// undoes that, as long as nothing was committed.
func (r *Repository) Switch(ctx context.Context, branch string) (back func(context.Context) error, err error) {
	home := []string{"switch", "-q"}
	if out, err := r.git(ctx, r.dir, "symbolic-ref", "-q", "--short", "HEAD"); err == nil {
		home = append(home, strings.TrimSpace(string(out)))
	} else {
		out, err := r.git(ctx, r.dir, "rev-parse", "HEAD")
		if err != nil {
			return nil, err
		}
		home = append(home, "--detach", strings.TrimSpace(string(out)))
	}
	if _, err := r.git(ctx, r.dir, "rev-parse", "-q", "--verify", "refs/heads/"+branch); err == nil {
		_, err = r.git(ctx, r.dir, "switch", "-q", branch)
		return func(ctx context.Context) error {
			_, err := r.git(ctx, r.dir, home...)
			return err
		}, err
	}
	_, err = r.git(ctx, r.dir, "switch", "-q", "-c", branch)
	return func(ctx context.Context) error {
		if _, err := r.git(ctx, r.dir, home...); err != nil {
			return err
		}
		_, err := r.git(ctx, r.dir, "branch", "-q", "-D", branch)
		return err
	}, err
}

// Commit commits exactly the rule files and returns the commit. What else is
// staged stays staged. An error means that there is no commit.
func (r *Repository) Commit(ctx context.Context, message string) (string, error) {
	after := context.WithoutCancel(ctx)
	before := r.head(after)
	_, err := r.git(ctx, r.dir, append([]string{"commit", "-q", "-m", message, "--only", "--"}, r.paths...)...)
	now := r.head(after)
	if err != nil && now == before { // a signal may have come when it was already made
		return "", err
	}
	return now, nil
}

// head is the present commit; empty when there is none yet.
func (r *Repository) head(ctx context.Context) string {
	out, err := r.git(ctx, r.dir, "rev-parse", "-q", "--verify", "HEAD")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// Push sends the present branch to where it belongs.
func (r *Repository) Push(ctx context.Context) error {
	if _, err := r.git(ctx, r.dir, "push", "-q", "-u", "origin", "HEAD"); err != nil {
		return fmt.Errorf("the commit is made here but was not pushed: %w", err)
	}
	return nil
}
