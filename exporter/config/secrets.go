package config

import "github.com/MNS-Vic/upkeep/internal/secret"

// readSecrets reads every secret file that is named.
func (c *Config) readSecrets(p *places) {
	for i := range c.Postgres {
		pg := &c.Postgres[i]
		switch {
		case pg.DSN != "":
			pg.Secret, pg.DSN = secret.New(pg.DSN), secret.Masked // not to be printed with the rest
			if pg.DSNFile != "" {
				p.Wrong([]any{"postgres", i, "dsn"}, "dsn and dsn_file exclude each other, keep dsn_file")
			}
		case pg.DSNFile != "":
			pg.Secret = p.secret(pg.DSNFile, "postgres", i, "dsn_file")
		default:
			p.Wrong([]any{"postgres", i, "dsn_file"}, "missing, name a file with the connection string")
		}
		if pg.PasswordFile != "" {
			pg.Password = p.secret(pg.PasswordFile, "postgres", i, "password_file")
		}
	}
	for i := range c.Redis {
		if file := c.Redis[i].PasswordFile; file != "" {
			c.Redis[i].Password = p.secret(file, "redis", i, "password_file")
		}
	}
}

func (p *places) secret(file string, path ...any) secret.Secret {
	s, err := secret.FromFile(file)
	if err != nil {
		p.Wrong(path, "%w", err)
	}
	return s
}
