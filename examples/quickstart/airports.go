package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// Airport is a record of the origin.
type Airport struct {
	IATA        string  `json:"iata"`
	Name        string  `json:"name"`
	City        string  `json:"city"`
	Country     string  `json:"country"`
	Lat         float64 `json:"lat"`
	Lon         float64 `json:"lon"`
	ElevationFt int     `json:"elevation_ft"`
	// Edition counts the edits of the record at the origin, from 1.
	Edition int `json:"edition"`
}

//go:embed airports.json
var airportsJSON []byte

// airports reads the data set that the program ships.
func airports() ([]Airport, error) {
	var all []Airport
	if err := json.Unmarshal(airportsJSON, &all); err != nil {
		return nil, fmt.Errorf("airports.json: %w", err)
	}
	for i := range all {
		all[i].Edition = 1
	}
	return all, nil
}
