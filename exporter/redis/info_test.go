package redis

import (
	"strings"
	"testing"
	"time"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

const replicaInfo = "# Server\r\nredis_version:7.2.0\r\nuptime_in_seconds:60\r\nserver_time_usec:1700000060000000\r\n\r\n" +
	"# Persistence\r\nrdb_last_bgsave_status:err\r\n\r\n" +
	"# Replication\r\nrole:slave\r\nmaster_link_status:down\r\nmaster_last_io_seconds_ago:-1\r\nslave_read_only:1\r\nconnected_slaves:1\r\n" +
	"slave0:ip=10.0.0.9,port=6379,state=online,offset=1234,lag=2\r\n\r\n" +
	"# Commandstats\r\ncmdstat_config|get:calls=3,usec=1500000,usec_per_call=5.00,rejected_calls=1,failed_calls=2\r\n\r\n" +
	"# Errorstats\r\nerrorstat_ERR:count=7\r\n\r\n" +
	"# Keyspace\r\ndb3:keys=2,expires=1,avg_ttl=2500\r\n\r\nnonsense\r\n:empty\r\nused_memory:many\r\n"

func TestFromInfo(t *testing.T) {
	f := newFamilies(collect.NewNames(collect.Naming{}))
	text := collect.Fill(0, func(b *collect.Batch) { f.fromInfo(b, parseInfo(replicaInfo), time.Unix(0, 0)) }).Text()
	for _, want := range []string{
		"redis_start_time_seconds 1.7e+09\n",
		"redis_rdb_last_bgsave_status 0\n",
		"redis_master_link_up 0\n",
		"redis_master_last_io_seconds_ago -1\n",
		"redis_connected_slaves 1\n",
		`redis_connected_slave_offset_bytes{slave_ip="10.0.0.9",slave_port="6379",slave_state="online"} 1234` + "\n",
		`redis_connected_slave_lag_seconds{slave_ip="10.0.0.9",slave_port="6379",slave_state="online"} 2` + "\n",
		`redis_commands_total{cmd="config|get"} 3` + "\n",
		`redis_commands_duration_seconds_total{cmd="config|get"} 1.5` + "\n",
		`redis_commands_failed_calls_total{cmd="config|get"} 2` + "\n",
		`redis_commands_rejected_calls_total{cmd="config|get"} 1` + "\n",
		`redis_errors_total{err="ERR"} 7` + "\n",
		`redis_db_avg_ttl_seconds{db="db3"} 2.5` + "\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "redis_memory_used_bytes") {
		t.Error("a field that is no number is published")
	}
}

func FuzzParseInfo(f *testing.F) {
	f.Add(replicaInfo)
	f.Fuzz(func(t *testing.T, text string) {
		i := parseInfo(text)
		collect.Fill(0, func(b *collect.Batch) {
			newFamilies(collect.NewNames(collect.Naming{})).fromInfo(b, i, time.Unix(0, 0))
		})
		if len(i.sections) > strings.Count(text, "#") {
			t.Error("more sections than headings")
		}
	})
}
