package config

import "github.com/MNS-Vic/upkeep/internal/strictyaml"

// places collects what is wrong in the file; the checks are its methods.
type places struct{ *strictyaml.Places }

func newPlaces(file string, data []byte) (*places, error) {
	p, err := strictyaml.NewPlaces(file, data)
	return &places{p}, err
}
