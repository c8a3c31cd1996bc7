package postgres

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// TLS makes every connection use TLS and check the server's certificate, by
// being there. Connection strings can say the same with sslmode=verify-full.
type TLS struct {
	CAFile             string // default: the system's
	CertFile, KeyFile  string // of the client
	ServerName         string // default: the host's
	InsecureSkipVerify bool
}

// client is the configuration of one connection.
func (t *TLS) client(host string) (*tls.Config, error) {
	c := &tls.Config{ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify, MinVersion: tls.VersionTLS12}
	if c.ServerName == "" {
		c.ServerName = host
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates of PostgreSQL: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the certificates of PostgreSQL: %q holds none in PEM", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("reading the client certificate for PostgreSQL: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
