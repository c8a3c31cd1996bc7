package postgres

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/MNS-Vic/upkeep/exporter/collect"
)

// settings publishes every setting that is a number or a switch, one series
// each, so that a rule over all names sees a change of any.
func settings(n collect.Names) statement {
	n = n.From("pg_settings")
	n.Pattern("gauge", "pg_settings_<name>", "Every setting that is a number or a switch, with its unit: _seconds, _bytes.")
	families := map[string]collect.Family{} // a server's names do not change while it runs
	return statement{
		name: "settings",
		sql:  fixed(`SELECT name, setting, coalesce(unit, ''), vartype, short_desc FROM pg_settings WHERE vartype IN ('bool', 'integer', 'real')`),
		read: func(a *answer, rows pgx.Rows) error {
			for rows.Next() {
				var name, value, unit, kind, help string
				if err := rows.Scan(&name, &value, &unit, &kind, &help); err != nil {
					return collect.Fail(collect.Parse, fmt.Errorf("reading a row: %w", err))
				}
				metric, v, ok := parseSetting(name, value, unit, kind)
				if !ok {
					continue
				}
				f, known := families[metric]
				if !known {
					f = n.Gauge(metric, "Setting "+name+": "+help)
					families[metric] = f
				}
				a.add(f, v)
			}
			return rows.Err()
		},
	}
}

// parseSetting gives a setting's metric name, with its unit, and its value in
// that unit. A setting that is off by -1 stays -1, whatever its unit.
func parseSetting(name, value, unit, kind string) (metric string, v float64, ok bool) {
	metric = "pg_settings_" + strings.ReplaceAll(name, ".", "_")
	if kind == "bool" {
		if value == "on" {
			return metric, 1, true
		}
		return metric, 0, true
	}
	v, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return "", 0, false
	}
	suffix, factor, ok := parseUnit(unit)
	if !ok {
		return "", 0, false
	}
	if v != -1 {
		v *= factor
	}
	return metric + suffix, v, true
}

// parseUnit reads units like "ms", "kB" and "8kB".
func parseUnit(unit string) (suffix string, factor float64, ok bool) {
	digits := 0
	for digits < len(unit) && unit[digits] >= '0' && unit[digits] <= '9' {
		digits++
	}
	count := 1.0
	if digits > 0 {
		count, _ = strconv.ParseFloat(unit[:digits], 64) // only digits
	}
	switch unit[digits:] {
	case "":
		return "", 1, true
	case "us":
		return "_seconds", count / 1e6, true
	case "ms":
		return "_seconds", count / 1e3, true
	case "s":
		return "_seconds", count, true
	case "min":
		return "_seconds", count * 60, true
	case "h":
		return "_seconds", count * 3600, true
	case "d":
		return "_seconds", count * 86400, true
	case "B":
		return "_bytes", count, true
	case "kB":
		return "_bytes", count * (1 << 10), true
	case "MB":
		return "_bytes", count * (1 << 20), true
	case "GB":
		return "_bytes", count * (1 << 30), true
	case "TB":
		return "_bytes", count * (1 << 40), true
	default:
		return "", 0, false
	}
}
