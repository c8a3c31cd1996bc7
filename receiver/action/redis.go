package action

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/MNS-Vic/upkeep/receiver/incident"
)

// Limits of a flush.
const (
	defaultMaxKeys = 100_000
	mostKeys       = 10_000_000
	flushBatch     = 500
)

// redisFlush removes the keys that begin with a prefix. Arguments: prefix
// (required), max_keys. It never empties a database: what has more keys than
// it may remove is left as it is.
type redisFlush struct{}

func (redisFlush) Name() string { return "redis.flush" }

func (a redisFlush) Precheck(ctx context.Context, r incident.Request) error {
	if _, _, err := flushArguments(r.With); err != nil {
		return err
	}
	db, err := openRedis(r.Target)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("connecting to redis: %w", err)
	}
	return nil
}

func (a redisFlush) Do(ctx context.Context, r incident.Request) (string, error) {
	prefix, most, err := flushArguments(r.With)
	if err != nil {
		return "", err
	}
	db, err := openRedis(r.Target)
	if err != nil {
		return "", err
	}
	defer db.Close()
	keys, err := collect(ctx, db, prefix, most)
	if err != nil {
		return "", err
	}
	removed := int64(0)
	for begin := 0; begin < len(keys); begin += flushBatch {
		n, err := db.Unlink(ctx, keys[begin:min(begin+flushBatch, len(keys))]...).Result()
		removed += n
		if err != nil {
			return fmt.Sprintf("removed %d of %d keys with prefix %q", removed, len(keys), prefix), fmt.Errorf("removing keys: %w", err)
		}
	}
	return fmt.Sprintf("removed %d keys with prefix %q", removed, prefix), nil
}

// collect finds the keys before any is removed, so that too many are none.
func collect(ctx context.Context, db *redis.Client, prefix string, most int) ([]string, error) {
	seen := map[string]struct{}{} // a scan may name a key twice
	var keys []string
	for cursor := uint64(0); ; {
		page, next, err := db.Scan(ctx, cursor, literal(prefix)+"*", flushBatch).Result()
		if err != nil {
			return nil, fmt.Errorf("looking for keys: %w", err)
		}
		for _, key := range page {
			if _, twice := seen[key]; twice || !strings.HasPrefix(key, prefix) {
				continue
			}
			seen[key] = struct{}{}
			keys = append(keys, key)
		}
		if len(keys) > most {
			return nil, fmt.Errorf("more than %d keys begin with %q, none was removed; raise max_keys if that is right", most, prefix)
		}
		if cursor = next; cursor == 0 {
			return keys, nil
		}
	}
}

// literal makes a prefix that means itself in a pattern.
func literal(prefix string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(prefix)
}

func flushArguments(with incident.Params) (prefix string, most int, err error) {
	if err := known(with, "prefix", "max_keys"); err != nil {
		return "", 0, err
	}
	if prefix = with.Get("prefix"); prefix == "" {
		return "", 0, errors.New("prefix is missing, without it every key would go")
	}
	most, err = number(with, "max_keys", defaultMaxKeys, mostKeys)
	return prefix, most, err
}

func openRedis(t incident.Target) (*redis.Client, error) {
	address, err := param(t, "redis", "url")
	if err != nil {
		return nil, err
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, fmt.Errorf("the url of target %q is not of the form redis://host:port/0", t.Name) // the cause could hold the password
	}
	o.MaxRetries, o.DialerRetries = -1, 1 // never twice
	o.ContextTimeoutEnabled = true
	return redis.NewClient(o), nil
}

var _ Action = redisFlush{}
