package redis

import (
	"strconv"
	"strings"
	"time"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// field is one number of INFO and its family.
type field struct {
	key    string
	family collect.Family
}

type families struct {
	up, start, instance collect.Family
	fields              []field
	states              []field // "ok" or "up" is 1

	keys, expiring, ttl              collect.Family
	calls, seconds, failed, rejected collect.Family
	errors                           collect.Family
	slaveOffset, slaveLag            collect.Family
	slowlogLength, slowlogLastID     collect.Family
	slowlogDuration                  collect.Family
}

func newFamilies(n collect.Names) *families {
	slave := []string{"slave_ip", "slave_port", "slave_state"}
	f := &families{
		up:    n.Gauge("redis_up", "Whether the Redis server answers."),
		start: n.Gauge("redis_start_time_seconds", "When the server was started, in Unix time."),
		instance: n.Gauge("redis_instance_info", "What the server is.", "role", "redis_version", "redis_build_id", "redis_mode", "os",
			"maxmemory_policy", "tcp_port", "run_id", "process_id", "master_replid"),
		keys:            n.Gauge("redis_db_keys", "Keys of a database.", "db"),
		expiring:        n.Gauge("redis_db_keys_expiring", "Keys of a database that expire.", "db"),
		ttl:             n.Gauge("redis_db_avg_ttl_seconds", "Mean time to live of keys that expire.", "db"),
		calls:           n.Counter("redis_commands_total", "Calls of a command.", "cmd"),
		seconds:         n.Counter("redis_commands_duration_seconds_total", "Seconds spent in a command.", "cmd"),
		failed:          n.Counter("redis_commands_failed_calls_total", "Calls of a command that failed.", "cmd"),
		rejected:        n.Counter("redis_commands_rejected_calls_total", "Calls of a command that were rejected.", "cmd"),
		errors:          n.Counter("redis_errors_total", "Error replies.", "err"),
		slaveOffset:     n.Gauge("redis_connected_slave_offset_bytes", "Position of a replica.", slave...),
		slaveLag:        n.Gauge("redis_connected_slave_lag_seconds", "How far a replica is behind.", slave...),
		slowlogLength:   n.Gauge("redis_slowlog_length", "Entries in the slow log."),
		slowlogLastID:   n.Gauge("redis_slowlog_last_id", "Number of the newest entry in the slow log."),
		slowlogDuration: n.Gauge("redis_last_slow_execution_duration_seconds", "How long the newest entry of the slow log took."),
	}
	g := func(key, name, help string) {
		f.fields = append(f.fields, field{key, n.Gauge("redis_"+name, help)})
	}
	c := func(key, name, help string) {
		f.fields = append(f.fields, field{key, n.Counter("redis_"+name, help)})
	}
	g("uptime_in_seconds", "uptime_in_seconds", "Seconds since the start of the server.")
	g("connected_clients", "connected_clients", "Clients connected.")
	g("blocked_clients", "blocked_clients", "Clients that wait in a blocking command.")
	g("maxclients", "config_maxclients", "Most clients that may connect.")
	g("used_memory", "memory_used_bytes", "Memory in use.")
	g("used_memory_rss", "memory_used_rss_bytes", "Memory in use, as the kernel sees it.")
	g("used_memory_peak", "memory_used_peak_bytes", "Most memory ever in use.")
	g("maxmemory", "memory_max_bytes", "Limit of memory, 0 for none.")
	g("total_system_memory", "total_system_memory_bytes", "Memory of the machine.")
	g("mem_fragmentation_ratio", "mem_fragmentation_ratio", "Memory as the kernel sees it, over memory in use.")
	g("loading", "loading_dump_file", "Whether the server is still loading its data.")
	g("rdb_changes_since_last_save", "rdb_changes_since_last_save", "Changes since the data was last saved.")
	g("rdb_last_save_time", "rdb_last_save_timestamp_seconds", "When the data was last saved, in Unix time.")
	g("aof_enabled", "aof_enabled", "Whether the append-only file is on.")
	g("connected_slaves", "connected_slaves", "Replicas connected.")
	g("master_repl_offset", "master_repl_offset", "Position of the replication log.")
	g("master_last_io_seconds_ago", "master_last_io_seconds_ago", "Seconds since the master was heard.")
	g("cluster_enabled", "cluster_enabled", "Whether the server is in cluster mode.")
	c("total_connections_received", "connections_received_total", "Connections accepted.")
	c("rejected_connections", "rejected_connections_total", "Connections refused because of the limit.")
	c("total_commands_processed", "commands_processed_total", "Commands processed.")
	c("total_net_input_bytes", "net_input_bytes_total", "Bytes read from the network.")
	c("total_net_output_bytes", "net_output_bytes_total", "Bytes written to the network.")
	c("expired_keys", "expired_keys_total", "Keys that expired.")
	c("evicted_keys", "evicted_keys_total", "Keys evicted because of the memory limit.")
	c("keyspace_hits", "keyspace_hits_total", "Look-ups that found a key.")
	c("keyspace_misses", "keyspace_misses_total", "Look-ups that found none.")
	c("used_cpu_sys", "cpu_sys_seconds_total", "CPU time in the kernel.")
	c("used_cpu_user", "cpu_user_seconds_total", "CPU time in the server.")
	c("used_cpu_sys_children", "cpu_sys_children_seconds_total", "CPU time of background processes in the kernel.")
	c("used_cpu_user_children", "cpu_user_children_seconds_total", "CPU time of background processes.")
	f.states = []field{
		{"rdb_last_bgsave_status", n.Gauge("redis_rdb_last_bgsave_status", "Whether the last save in the background went well.")},
		{"aof_last_write_status", n.Gauge("redis_aof_last_write_status", "Whether the last write to the append-only file went well.")},
		{"master_link_status", n.Gauge("redis_master_link_up", "Whether a replica hears its master.")},
	}
	return f
}

// fromInfo makes the metrics of one INFO. now is when it was asked for.
func (f *families) fromInfo(b *collect.Batch, i info, now time.Time) {
	add := b.Add
	for _, e := range f.fields {
		if v, ok := i.number(e.key); ok {
			add(e.family, v)
		}
	}
	for _, e := range f.states {
		if text, ok := i.fields[e.key]; ok {
			v := 0.0
			if text == "ok" || text == "up" {
				v = 1
			}
			add(e.family, v)
		}
	}
	if micros, ok := i.number("server_time_usec"); ok {
		now = time.UnixMicro(int64(micros)) // the server's clock, to which its uptime belongs
	}
	if uptime, ok := i.number("uptime_in_seconds"); ok {
		add(f.start, float64(now.Unix())-uptime)
	}
	add(f.instance, 1, i.fields["role"], i.fields["redis_version"], i.fields["redis_build_id"], i.fields["redis_mode"], i.fields["os"],
		i.fields["maxmemory_policy"], i.fields["tcp_port"], i.fields["run_id"], i.fields["process_id"], i.fields["master_replid"])
	f.lists(i, add)
}

// lists are the sections with one line per thing.
func (f *families) lists(i info, add func(collect.Family, float64, ...string)) {
	number := func(family collect.Family, text string, scale float64, labels ...string) {
		if v, ok := parseNumber(text); ok {
			add(family, v*scale, labels...)
		}
	}
	for _, db := range i.list("Keyspace", "db") {
		name := "db" + db.name
		number(f.keys, db.pairs["keys"], 1, name)
		number(f.expiring, db.pairs["expires"], 1, name)
		number(f.ttl, db.pairs["avg_ttl"], 1e-3, name)
	}
	for _, cmd := range i.list("Commandstats", "cmdstat_") {
		number(f.calls, cmd.pairs["calls"], 1, cmd.name)
		number(f.seconds, cmd.pairs["usec"], 1e-6, cmd.name)
		number(f.failed, cmd.pairs["failed_calls"], 1, cmd.name)
		number(f.rejected, cmd.pairs["rejected_calls"], 1, cmd.name)
	}
	for _, e := range i.list("Errorstats", "errorstat_") {
		number(f.errors, e.pairs["count"], 1, e.name)
	}
	for _, slave := range i.list("Replication", "slave") {
		if _, err := strconv.Atoi(slave.name); err != nil || slave.pairs["ip"] == "" {
			continue // slave_read_only and the like
		}
		labels := []string{slave.pairs["ip"], slave.pairs["port"], strings.TrimSpace(slave.pairs["state"])}
		number(f.slaveOffset, slave.pairs["offset"], 1, labels...)
		number(f.slaveLag, slave.pairs["lag"], 1, labels...)
	}
}
