package publish

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/MNS-Vic/upkeep/internal/atomicfile"
)

// Replace writes the new content of all files, each atomically. When one
// cannot be written, those before it are put back.
func Replace(files []File) error {
	for _, f := range files {
		now, err := os.ReadFile(f.Path)
		if err != nil {
			return fmt.Errorf("replacing rule files: %w", err)
		}
		if !bytes.Equal(now, f.Old) {
			return fmt.Errorf("replacing rule files: %q is not what was read, somebody changed it or the branch has another one; nothing was written, run it again there", f.Path)
		}
	}
	for i, f := range files {
		if err := atomicfile.Write(f.Path, f.New, 0o644); err != nil {
			return errors.Join(err, PutBack(files[:i]))
		}
	}
	return nil
}

// PutBack writes the old content again.
func PutBack(files []File) error {
	var errs []error
	for _, f := range files {
		errs = append(errs, atomicfile.Write(f.Path, f.Old, 0o644))
	}
	return errors.Join(errs...)
}
