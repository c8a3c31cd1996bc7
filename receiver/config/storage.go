package config

import (
	"errors"
	"fmt"
	"strings"
)

// DefaultStorage is the ledger when the file names none.
const DefaultStorage = "upkeep-receiver.db"

// StoragePath is the file of the ledger. Only SQLite is supported so far.
func (c *Config) StoragePath() (string, error) {
	switch {
	case c.Storage == "":
		return DefaultStorage, nil
	case strings.HasPrefix(c.Storage, "postgres://"), strings.HasPrefix(c.Storage, "postgresql://"):
		return "", errors.New("a ledger in PostgreSQL is not supported yet, use sqlite:///path/receiver.db")
	}
	path, ok := strings.CutPrefix(c.Storage, "sqlite://")
	if !ok || path == "" {
		return "", fmt.Errorf("storage %q is not of the form sqlite:///path/receiver.db", c.Storage)
	}
	return path, nil
}
