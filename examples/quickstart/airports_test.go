package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAirports(t *testing.T) {
	all, err := airports()
	require.NoError(t, err)
	require.Len(t, all, 50)
	known := make(map[string]Airport, len(all))
	for _, a := range all {
		require.Regexp(t, "^[A-Z]{3}$", a.IATA)
		require.NotContains(t, known, a.IATA)
		require.NotEmpty(t, a.Name, a.IATA)
		require.NotEmpty(t, a.City, a.IATA)
		require.NotEmpty(t, a.Country, a.IATA)
		require.NotZero(t, a.Lat, a.IATA)
		require.NotZero(t, a.Lon, a.IATA)
		require.InDelta(t, 0, a.Lat, 90, a.IATA)
		require.InDelta(t, 0, a.Lon, 180, a.IATA)
		require.Equal(t, 1, a.Edition, a.IATA)
		known[a.IATA] = a
	}
	for _, key := range append([]string{stampedeKey, stormKey, leaverKey, unheardKey}, outageKeys...) {
		require.Contains(t, known, key)
	}
	// The lowest and the highest of them, as everybody who flies there knows.
	require.Equal(t, -11, known["AMS"].ElevationFt)
	require.Equal(t, 13355, known["LPB"].ElevationFt)
}
