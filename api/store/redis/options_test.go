package redis_test

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/api/store/redis"
)

func TestOpenNamesEveryWrongOption(t *testing.T) {
	addrs := []string{"localhost:1"}
	for want, opts := range map[string]redis.Options{
		"neither URL nor Addrs is set":           {},
		"both URL and Addrs are set":             {URL: "redis://localhost:1", Addrs: addrs},
		"one of Addrs is empty":                  {Addrs: []string{"localhost:1", ""}},
		"Namespace \"a/b\" is not 1 to 128":      {Addrs: addrs, Namespace: "a/b"},
		"Timeout is negative: -1ns":              {Addrs: addrs, Timeout: -1},
		"DialTimeout is negative: -1ns":          {Addrs: addrs, DialTimeout: -1},
		"RetryEvery is negative: -1ns":           {Addrs: addrs, RetryEvery: -1},
		"Tombstones is negative: -1ns":           {Addrs: addrs, Tombstones: -1},
		"MaxRecord is negative: -1":              {Addrs: addrs, MaxRecord: -1},
		"Username, Password and TLS go with Add": {URL: "rediss://localhost:1", TLS: &tls.Config{MinVersion: tls.VersionTLS12}},
	} {
		_, err := redis.Open(opts)
		require.ErrorContains(t, err, "freshet: redis: Options: "+want)
	}
	_, err := redis.Open(redis.Options{
		URL: "redis://localhost:1", Username: "u", Password: "s3cr3t", Namespace: "A", Timeout: -1, DialTimeout: -1, RetryEvery: -1,
		Tombstones: -1, MaxRecord: -1,
	})
	for _, field := range []string{"Username", "Namespace", "Timeout", "DialTimeout", "RetryEvery", "Tombstones", "MaxRecord"} {
		require.ErrorContains(t, err, field)
	}
	require.NotContains(t, err.Error(), "s3cr3t")
}
